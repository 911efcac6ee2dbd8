import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCheckpoint } from '../../src/checkpoint/store.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { startMysqlPair } from '../servers.ts';
import { Lab } from '../workflows/lab.ts';
import { pairConfig, pairSecrets } from '../workflows/pair-config.ts';

let lab: Lab;
let folder: string;
let pair: Awaited<ReturnType<typeof startMysqlPair>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
  [lab, pair] = await Promise.all([Lab.open(), startMysqlPair()]);
  await withConnection(pair.source, {}, async (c) => {
    for (const sql of [
      'CREATE DATABASE shop',
      `CREATE TABLE shop.customer (id int PRIMARY KEY AUTO_INCREMENT, name varchar(50), UNIQUE (name))`,
      `CREATE TABLE shop.orders (id bigint PRIMARY KEY AUTO_INCREMENT, customer int NOT NULL,
         total decimal(12,2), FOREIGN KEY (customer) REFERENCES shop.customer (id) ON DELETE CASCADE)`,
      'CREATE VIEW shop.totals AS SELECT customer, SUM(total) AS total FROM shop.orders GROUP BY customer',
      `INSERT INTO shop.customer (name) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n
         WHERE i < 500) SELECT CONCAT('c', i) FROM n`,
      'INSERT INTO shop.orders (customer, total) SELECT id, id * 1.5 FROM shop.customer',
    ]) {
      await c.query(sql);
    }
  });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await pair.stop();
  await rm(folder, { recursive: true, force: true });
});

test('an aborted migration leaves nothing behind when the target was to be dropped', async () => {
  const { source, target } = pair;
  const run = await lab.startReal({ switchDirectories: [] }, pairSecrets(pair), (name) =>
    pairConfig(name, pair, '/nowhere'),
  );
  const { name } = await run.until(
    ({ phase }) => phase === 'awaiting-approval' || phase === 'parked',
    90_000,
  );
  expect((await run.report()).findings).toContainEqual(
    expect.objectContaining({ code: 'switches', severity: 'warning', object: 'app' }),
  );
  await run.send('abort', { by: 'ann', dropTarget: name });
  const { aborted, status } = await run.result();
  expect(status.phase).toBe('aborted');
  expect(aborted?.undone).toEqual([
    'dropped the copied tables and programs',
    'removed the checkpoint',
  ]);
  const left = await withConnection(target, {}, (c) =>
    c.query(
      `SELECT table_schema, table_name FROM information_schema.tables
       WHERE table_schema IN ('shop', 'skyferry')`,
    ),
  );
  expect(left).toEqual([]);
  await withConnection(source, {}, (c) =>
    c.query('UPDATE shop.orders SET total = total + 1 WHERE id = 1'),
  );
}, 180_000);

test('a database moves under writes, from its configuration to the switched file', async () => {
  const { source, target } = pair;
  const file = join(folder, 'app.env');
  await writeFile(file, `DATABASE=${source.host}:${source.port}\n`);
  const run = await lab.startReal({ switchDirectories: [folder] }, pairSecrets(pair), (name) =>
    pairConfig(name, pair, file),
  );
  const writing = write(source, 40);
  const status = await run.until(
    ({ phase }) => phase === 'awaiting-approval' || phase === 'parked',
    90_000,
  );
  expect([status.failure, status.blockers]).toEqual([
    undefined,
    ['a person must approve the cutover', expect.stringContaining('no way back without loss')],
  ]);
  await writing;
  await run.send('approve-cutover', { by: 'ann', planHash: status.planHash });
  const done = await run.until(({ phase }) => phase === 'completed' || phase === 'parked', 60_000);
  expect(done.failure).toBeUndefined();
  const report = await run.result();
  expect(report.findings).toContainEqual(
    expect.objectContaining({ code: 'switches', severity: 'ok' }),
  );
  expect(report.verification).toMatchObject({ equal: true, differing: 0 });
  expect(report.copy?.rows).toBeGreaterThan(900);
  expect(report.plan?.plan.tableCount).toBe(2);
  expect(report.lag?.length).toBeGreaterThan(0);
  expect(report.cutover?.writeDowntimeMs).toBeLessThan(20_000);
  expect(await readFile(file, 'utf8')).toBe(`DATABASE=${target.host}:${target.port}\n`);
  await expect(
    withConnection(source, {}, (c) => c.query('DELETE FROM shop.orders')),
  ).rejects.toMatchObject({ detail: { errno: 1290 } });
  const checkpoint = await withConnection(target, {}, (c) => readCheckpoint(c, report.status.name));
  expect(checkpoint?.state).toBe('completed');
  expect(await sumsOf(target)).toEqual(await sumsOf(source));
  const history = await run.historyText();
  expect(history).toContain('${env:SOURCE_PASSWORD}');
  expect(history.includes(source.password) || history.includes(target.password)).toBe(false);
  expect((await run.events()).length).toBeLessThan(250);
  const again = await lab.startReal({ switchDirectories: [] }, pairSecrets(pair), () =>
    pairConfig(report.status.name, pair, file),
  );
  expect(await again.failure()).toMatch(/MIGRATION_CONFLICT .*already completed/);
}, 180_000);

async function write(source: Endpoint, times: number): Promise<void> {
  await withConnection(source, {}, async (c) => {
    for (let i = 0; i < times; i++) {
      await c.query('INSERT INTO shop.orders (customer, total) VALUES (?, 1)', [i + 100]);
      await c.query('UPDATE shop.orders SET total = total + 1 WHERE customer = ?', [i + 150]);
      await c.query('DELETE FROM shop.customer WHERE id = ?', [i + 200]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}

async function sumsOf(side: Endpoint): Promise<unknown> {
  return await withConnection(side, {}, (c) =>
    c.query('SELECT COUNT(*) AS n, SUM(total) AS total FROM shop.orders'),
  );
}
