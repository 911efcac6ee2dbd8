import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
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
  await execute(pair.source, [
    'CREATE DATABASE shop',
    `CREATE TABLE shop.customer (id int PRIMARY KEY AUTO_INCREMENT, name varchar(50), UNIQUE (name))`,
    `CREATE TABLE shop.orders (id bigint PRIMARY KEY AUTO_INCREMENT, customer int NOT NULL,
       total decimal(12,2), FOREIGN KEY (customer) REFERENCES shop.customer (id) ON DELETE CASCADE)`,
    'CREATE TABLE shop.journal (what varchar(20), n int)',
    `CREATE TRIGGER shop.noted AFTER INSERT ON shop.orders FOR EACH ROW
       INSERT INTO shop.journal VALUES ('order', NEW.customer)`,
    `INSERT INTO shop.customer (name) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n
       WHERE i < 500) SELECT CONCAT('c', i) FROM n`,
    'INSERT INTO shop.orders (customer, total) SELECT id, id * 1.5 FROM shop.customer',
  ]);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await pair.stop();
  await rm(folder, { recursive: true, force: true });
});

test('aborted, neither replication nor its account stays behind', async () => {
  const run = await lab.startReal({ switchDirectories: [] }, pairSecrets(pair), (name) =>
    pairConfig(name, pair, '/nowhere', { engine: 'native' }),
  );
  const { name, failure } = await run.until(arrived, 90_000);
  expect(failure).toBeUndefined();
  expect(await replicas(pair.target)).toHaveLength(1);
  await run.send('abort', { by: 'ann', dropTarget: name });
  const { aborted, status } = await run.result();
  expect(status.phase).toBe('aborted');
  expect(aborted?.undone).toEqual([
    "removed MySQL's replication from the target",
    expect.stringMatching(/^dropped the replication account skyferry_repl_/),
    'dropped the copied tables and programs',
    'removed the checkpoint',
  ]);
  expect(await replicas(pair.target)).toEqual([]);
}, 180_000);

test("a database moves by MySQL's own replication, under writes, up to the switched file", async () => {
  const { source, target } = pair;
  const file = join(folder, 'app.env');
  await writeFile(file, `DATABASE=${source.host}:${source.port}\n`);
  const run = await lab.startReal({ switchDirectories: [folder] }, pairSecrets(pair), (name) =>
    pairConfig(name, pair, file, { engine: 'native' }),
  );
  const writing = write(source, 60);
  const status = await run.until(arrived, 90_000);
  expect(status.failure).toBeUndefined();
  expect(await replicas(target)).toHaveLength(1);
  await writing;
  await run.send('approve-cutover', { by: 'ann', planHash: status.planHash });
  const done = await run.until(({ phase }) => phase === 'completed' || phase === 'parked', 60_000);
  expect(done.failure).toBeUndefined();
  const report = await run.result();
  expect(report.plan?.plan.engine).toBe('native');
  expect(report.verification).toMatchObject({ equal: true, differing: 0 });
  expect(report.lag?.length).toBeGreaterThan(0);
  expect(report.cutover?.writeDowntimeMs).toBeLessThan(20_000);
  expect(report.cutover?.steps.map(({ step }) => step)).toContain('remove replication');
  expect(await readFile(file, 'utf8')).toBe(`DATABASE=${target.host}:${target.port}\n`);
  expect(await replicas(target)).toEqual([]);
  for (const table of ['customer', 'orders', 'journal']) {
    expect(await checksum(target, table)).toEqual(await checksum(source, table));
  }
  // The trigger is there, and has not counted what replication brought.
  await expect(
    withConnection(target, {}, (c) => c.query('SHOW CREATE TRIGGER shop.noted')),
  ).resolves.toHaveLength(1);
  // The source is fenced: what could not be dropped there is said.
  expect(done.milestones.map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/^the replication account skyferry_repl_\w+ is still on the source/),
  );
  const history = await run.historyText();
  expect(history.includes(source.password) || history.includes(target.password)).toBe(false);
}, 180_000);

function arrived({ phase }: { phase: string }): boolean {
  return phase === 'awaiting-approval' || phase === 'parked';
}

async function execute(endpoint: Endpoint, statements: readonly string[]): Promise<void> {
  await using connection = await openConnection(endpoint);
  for (const sql of statements) await connection.query(sql);
}

async function replicas(endpoint: Endpoint): Promise<unknown[]> {
  return await withConnection(endpoint, {}, (c) => c.query('SHOW REPLICA STATUS'));
}

async function checksum(endpoint: Endpoint, table: string): Promise<unknown> {
  const [row] = await withConnection(endpoint, {}, (c) => c.query(`CHECKSUM TABLE shop.${table}`));
  return row?.['Checksum'];
}

async function write(source: Endpoint, times: number): Promise<void> {
  await withConnection(source, {}, async (c) => {
    for (let i = 0; i < times; i++) {
      await c.query('INSERT INTO shop.orders (customer, total) VALUES (?, 1)', [i + 100]);
      await c.query('UPDATE shop.orders SET total = total + 1 WHERE customer = ?', [i + 150]);
      await c.query('DELETE FROM shop.customer WHERE id = ?', [i + 300]);
      await c.query("UPDATE shop.journal SET n = n + 1 WHERE what = 'order' LIMIT 2");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}
