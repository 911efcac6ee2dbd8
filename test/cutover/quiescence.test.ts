import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SuperReadOnlyFence } from '../../src/cutover/fence/super-read-only.ts';
import { proveQuiescence } from '../../src/cutover/quiescence.ts';
import { emptyCatalog } from '../../src/mysql/catalog/types.ts';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
import { startMysql } from '../servers.ts';

let server: Awaited<ReturnType<typeof startMysql>>;
beforeAll(async () => {
  server = await startMysql();
});
afterAll(() => server.stop());

/** Of a server that is fenced. */
async function fencedJob() {
  const { endpoint } = server;
  await withConnection(endpoint, {}, (c) => c.execute('SET GLOBAL super_read_only = ON'));
  const context = {
    account: endpoint,
    source: endpoint,
    schemas: ['app'],
    applicationAccounts: [],
  };
  const fence = new SuperReadOnlyFence(context);
  return { fence, fenceAccount: endpoint, source: endpoint, catalog: emptyCatalog };
}

test('waits for a running statement whose text MySQL cannot list, instead of failing', async () => {
  const job = await fencedJob();
  const reader = await openConnection(server.endpoint);
  await reader.execute('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  const running = reader.query("SELECT SLEEP(1.5), '🚀'");
  await delay(200);
  const started = performance.now();
  const signal = new AbortController().signal;
  const { position } = await proveQuiescence(job, { withinMs: 8000, signal });
  expect(position.offset).toBeGreaterThan(0);
  expect(performance.now() - started).toBeGreaterThan(1000);
  await running;
  await reader.close();
});

test('nothing is proved while the source applies what another server sends', async () => {
  const run = async (...statements: string[]) => {
    await withConnection(server.endpoint, {}, async (connection) => {
      for (const statement of statements) await connection.execute(statement);
    });
  };
  await run(
    'SET GLOBAL super_read_only = OFF',
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'primary'",
    'START REPLICA SQL_THREAD',
  );
  const job = await fencedJob();
  const prove = async () =>
    await proveQuiescence(job, { withinMs: 300, signal: new AbortController().signal });
  await expect(prove()).rejects.toMatchObject({
    code: 'NOT_QUIESCENT',
    message: expect.stringContaining('own replication applier runs') as string,
  });
  await run('STOP REPLICA');
  expect((await prove()).evidence.replicationApplier).toBe('stopped');
});
