import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../../src/mysql/connection.ts';
import { compareFilePositions } from '../../../../src/mysql/position.ts';
import { awaitApplied } from '../../../../src/replicate/await-applied.ts';
import { startMysqlPair } from '../../../servers.ts';
import { binlogEnd, run } from '../../../replicate/lab.ts';
import type { Running } from '../../../replicate/running.ts';
import { until } from '../../../replicate/running.ts';
import { shop, shopping, beginWitnessed, checkpointOf, startApplier, startWitness } from './lab.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  servers = await startMysqlPair();
});
afterEach(async () => {
  for (const each of cleanUp.splice(0)) await each();
});
afterAll(async () => {
  await servers.stop();
});

function ends<T extends Running>(started: T): T {
  cleanUp.push(() => started.stop());
  return started;
}

test('killed again and again, it goes on from its checkpoint and stops at `until`', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'killed', ['shop'], shop);
  ends(startApplier(standIn));
  const shoppers = shopping(servers.source);
  cleanUp.push(() => shoppers.stop());
  let last = migration.start;
  for (let i = 0; i < 6; i++) {
    const witnessing = startWitness(migration);
    const moved = async () =>
      compareFilePositions((await checkpointOf(migration)).position!, last) > 0;
    if (i % 2 === 0) await until(moved);
    else await delay(100 * i);
    await witnessing.stop();
    await expect(witnessing.ended).rejects.toThrow('stopped by the test');
    const { position } = await checkpointOf(migration);
    expect(compareFilePositions(position!, last)).toBeGreaterThanOrEqual(0);
    last = position!;
  }
  const witnessing = ends(startWitness(migration));
  await using source = await openConnection(servers.source);
  const dumps = await source.query(
    "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
  );
  for (const { id } of dumps) await source.query(`KILL ${Number(id)}`);
  const orders = await shoppers.stop();
  const to = await binlogEnd(servers.source);
  await awaitApplied(servers.target, 'killed', to, { signal: AbortSignal.timeout(5000) });
  await witnessing.stop();
  const ended = await startWitness(migration, { until: to }).ended;
  expect(compareFilePositions(ended, to)).toBe(0);
  const { position, transactions } = await checkpointOf(migration);
  expect(position).toEqual(ended);
  // Each is counted once: an order, and after every third the jobs.
  expect(transactions).toBe(orders + Math.ceil(orders / 3));
});

test('a second holder silences the first, also while it confirms nothing', async () => {
  const { migration } = await beginWitnessed(servers, 'taken', ['shop'], shop);
  const first = ends(startWitness(migration));
  await run(servers.source, ['INSERT INTO shop.orders (n) VALUES (1)']);
  await until(() => first.progress.length > 0);
  const second = ends(startWitness(migration));
  await expect(first.ended).rejects.toMatchObject({ code: 'EPOCH_LOST' });
  await until(() => second.progress.length > 1);
});

test('a row that is another one on the target though everything is applied: ROWS_DIFFER names the table', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'tampered', ['shop'], shop);
  const applier = ends(startApplier(standIn));
  await run(servers.source, ["INSERT INTO shop.orders (n, note) VALUES (1, 'secret')"]);
  await awaitApplied(servers.target, 'tampered-stand-in', await binlogEnd(servers.source), {
    signal: AbortSignal.timeout(5000),
  });
  await applier.stop();
  await run(servers.target, ['UPDATE shop.orders SET n = 2']);
  let settled = false;
  const witnessing = ends(startWitness(migration, { settled: () => settled, patienceMs: 1000 }));
  await delay(1500);
  const waits = (await checkpointOf(migration)).position;

  settled = true;
  const failure: unknown = await witnessing.ended.catch((error: unknown) => error);
  expect(waits).toEqual(migration.start);
  expect(failure).toMatchObject({ code: 'ROWS_DIFFER' });
  expect(String(failure)).toContain('shop.orders');
  expect(JSON.stringify(failure) + String(failure)).not.toContain('secret');
  await run(servers.target, ['UPDATE shop.orders SET n = 1']);
  const to = await binlogEnd(servers.source);
  await startWitness(migration, { until: to, settled: () => true, patienceMs: 1000 }).ended;
});

test('DDL in a migrated schema: SCHEMA_CHANGED, the checkpoint lies before it', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'ddl', ['shop'], shop);
  ends(startApplier(standIn));
  const witnessing = ends(startWitness(migration));
  await run(servers.source, ['CREATE DATABASE IF NOT EXISTS elsewhere', 'DROP DATABASE elsewhere']);
  const before = await binlogEnd(servers.source);
  await awaitApplied(servers.target, 'ddl', before, { signal: AbortSignal.timeout(5000) });
  await run(servers.source, ['ALTER TABLE shop.orders ADD COLUMN more int']);
  await expect(witnessing.ended).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
  const { position } = await checkpointOf(migration);
  expect(compareFilePositions(position!, before)).toBe(0);
});
