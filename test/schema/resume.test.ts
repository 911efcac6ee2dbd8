import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Catalog } from '../../src/mysql/catalog/types.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { buildIndexes } from '../../src/schema/build-indexes.ts';
import { createSchemas } from '../../src/schema/create-schemas.ts';
import { createTables } from '../../src/schema/create-tables.ts';
import { emptySchemas } from '../../src/schema/empty-schemas.ts';
import { addForeignKeys } from '../../src/schema/foreign-keys.ts';
import { startMysqlPair } from '../servers.ts';
import { catalogOf, expectedOn, quiet, run } from './on-servers.ts';

const schema = [
  'CREATE DATABASE big',
  'CREATE TABLE big.parent (id int PRIMARY KEY)',
  ...['one', 'two', 'three'].map(
    (name) => `CREATE TABLE big.${name} (
      id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a varchar(64), b varchar(64), c int, p int,
      KEY (a), KEY (b, a), UNIQUE KEY (c), KEY ((upper(a))), KEY (p), FULLTEXT KEY (b),
      CONSTRAINT ${name}_p FOREIGN KEY (p) REFERENCES big.parent (id))`,
  ),
];
const ROWS = 80_000;

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let catalog: Catalog;
beforeAll(async () => {
  servers = await startMysqlPair();
  await run(servers.source, schema);
  catalog = await catalogOf(servers.source, ['big']);
  await createSchemas(servers.target, catalog, 0);
  await createTables(servers.target, catalog, 0);
  for (const name of ['one', 'two', 'three']) {
    await run(servers.target, [
      'SET SESSION cte_max_recursion_depth = 1000000',
      `INSERT INTO big.${name} (a, b, c) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
       SELECT sha2(i, 256), sha2(i + 1, 256), i FROM n`,
    ]);
  }
});
afterAll(() => servers?.stop());

test('building indexes survives aborts and kills of the server at any moment', async () => {
  const { target, targetServer } = servers;
  const job = { target, catalog, lctn: 0, migration: 'test', parallel: 2 };
  for (const delay of [30, 200, 700]) {
    const abort = new AbortController();
    const running = buildIndexes(job, { signal: abort.signal, onProgress: () => {} });
    running.catch(() => {});
    await sleep(delay);
    abort.abort(new Error('stopped'));
    await expect(running).rejects.toThrow('stopped');
    const left = await withConnection(target, {}, (connection) =>
      connection.query(
        "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER TABLE%' AND COMMAND <> 'Killed'",
      ),
    );
    expect(left).toEqual([]);
  }
  const cut = buildIndexes(job, quiet());
  cut.catch(() => {});
  await sleep(300);
  process.kill(await targetServer.pid(), 'SIGKILL');
  await expect(cut).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await targetServer.restart();
  const progress: number[] = [];
  await buildIndexes(job, {
    ...quiet(),
    onProgress: ({ done, total }) => progress.push(total - done),
  });
  await addForeignKeys(job, quiet());
  expect(progress.at(-1)).toBe(0);
  const there = await catalogOf(target, ['big']);
  expect(there.tables.map((table) => expectedOn(0, table))).toEqual(
    catalog.tables.map((table) => expectedOn(0, table)),
  );
}, 180_000);

test('duplicate rows fail a unique index by the name of its table', async () => {
  await run(servers.target, [
    'ALTER TABLE big.one DROP INDEX c',
    'UPDATE big.one SET c = 1 WHERE id IN (2, 3)',
  ]);
  await expect(
    buildIndexes(
      { target: servers.target, catalog, lctn: 0, migration: 'test', parallel: 2 },
      quiet(),
    ),
  ).rejects.toMatchObject({
    code: 'STATEMENT_FAILED',
    message: expect.stringContaining('big.one') as string,
    detail: { errno: 1062 },
  });
});

test('what was loaded is emptied, also what the source has not any more; other schemas stay', async () => {
  const { target } = servers;
  await run(target, [
    'CREATE TABLE big.gone (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES big.parent (id))',
    'CREATE VIEW big.seen AS SELECT id FROM big.gone',
    'CREATE PROCEDURE big.work() SELECT 1',
    'CREATE DATABASE kept',
    'CREATE TABLE kept.t (id int PRIMARY KEY)',
  ]);
  // A worker that was frozen here: its successor has ended the session that drops.
  const ended = { ...quiet(), begin: async (c: Connection) => await run(target, [`KILL ${c.threadId}`]) }; // prettier-ignore
  await expect(emptySchemas(target, ['big'], ended)).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
  });
  expect(await emptySchemas(target, ['big', 'not_there'], quiet())).toBe(5);
  const { tables, views, routines } = await catalogOf(target, ['big']);
  expect([tables, views, routines]).toEqual([[], [], []]);
  expect((await catalogOf(target, ['kept'])).tables).toHaveLength(1);
  expect(await emptySchemas(target, ['big'], quiet())).toBe(0);
});
