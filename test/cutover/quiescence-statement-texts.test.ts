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

test('waits for a running statement whose text MySQL cannot list, instead of failing', async () => {
  const { endpoint } = server;
  await withConnection(endpoint, {}, (c) => c.execute('SET GLOBAL super_read_only = ON'));
  const context = {
    account: endpoint,
    source: endpoint,
    schemas: ['app'],
    applicationAccounts: [],
  };
  const fence = new SuperReadOnlyFence(context);
  const job = { fence, fenceAccount: endpoint, source: endpoint, catalog: emptyCatalog };
  const reader = await openConnection(endpoint);
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
