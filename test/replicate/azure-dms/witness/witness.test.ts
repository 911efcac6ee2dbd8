import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../../src/mysql/connection.ts';
import { compareFilePositions } from '../../../../src/mysql/position.ts';
import { awaitApplied } from '../../../../src/replicate/await-applied.ts';
import { readLag } from '../../../../src/replicate/await-lag.ts';
import { startMysqlPair } from '../../../servers.ts';
import { binlogEnd, differences, run } from '../../lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from '../../workload.ts';
import type { Running } from './lab.ts';
import { beginWitnessed, checkpointOf, startApplier, startWitness, until } from './lab.ts';

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

const shop = [
  'CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, n int NOT NULL, note varchar(20))',
  'CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL)',
  'CREATE TABLE jobs (id int AUTO_INCREMENT PRIMARY KEY, what varchar(20) NOT NULL)',
  'CREATE TABLE docs (id int PRIMARY KEY, doc json)',
  'CREATE TABLE heap (n int)',
  'INSERT INTO counter VALUES (1, 0)',
  "INSERT INTO docs VALUES (1, '{}')",
];

/** Orders, one row that is always changing, and jobs that do not live long. Until stopped. */
function shopping(): { stop(): Promise<number> } {
  let goesOn = true;
  const work = (async () => {
    await using c = await openConnection(servers.source, { database: 'shop' });
    let n = 0;
    for (; goesOn; n++) {
      await c.query('BEGIN');
      await c.query(`INSERT INTO orders (n) VALUES (${n})`);
      await c.query('UPDATE counter SET n = n + 1');
      await c.query("INSERT INTO jobs (what) VALUES ('send')");
      await c.query('COMMIT');
      if (n % 3 === 0) await c.query('DELETE FROM jobs ORDER BY id LIMIT 3');
      await delay(n % 5);
    }
    return n;
  })();
  return {
    stop: async () => {
      goesOn = false;
      return await work;
    },
  };
}

test('follows every kind of change to the end, with the numbers of transactions and rows', async () => {
  const { migration, standIn } = await beginWitnessed(
    servers,
    'kinds',
    workloadSchemas,
    workloadTables,
  );
  const applier = ends(startApplier(standIn));
  const witnessing = ends(startWitness(migration));
  await writeRandomly(servers.source, 3, 250);
  const end = await binlogEnd(servers.source);
  const signal = AbortSignal.timeout(10_000);
  const seen = await awaitApplied(servers.target, 'kinds', end, { signal });
  const applied = await awaitApplied(servers.target, 'kinds-stand-in', end, { signal });
  expect(seen.position).toEqual(applied.position);
  expect(seen.transactions).toBe(applied.transactions);
  expect(seen.rowChanges).toBeGreaterThan(100);
  expect(await differences(migration)).toEqual({});
  await delay(2500);
  const idle = await readLag(servers.target, 'kinds');
  expect(idle.lagMs).toBeLessThan(1500);
  const last = witnessing.progress.at(-1);
  expect(last).toMatchObject({ transactions: seen.transactions, rowChanges: seen.rowChanges });
  expect(last?.lagMs).toBeLessThan(2500);
  await applier.stop();
});

test('never says more than what is applied; the lag grows while nobody applies, and falls again', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'lag', ['shop'], shop);
  const witnessing = ends(startWitness(migration));
  let applier = ends(startApplier(standIn));
  const shoppers = shopping();
  cleanUp.push(() => shoppers.stop());
  let ahead = 0;
  let looks = 0;
  const watch = setInterval(() => {
    void (async () => {
      const seen = (await checkpointOf(migration)).position;
      const applied = (await checkpointOf(standIn)).position;
      looks += 1;
      if (seen === null || applied === null || compareFilePositions(seen, applied) > 0) ahead += 1;
    })();
  }, 50);
  await delay(1500);
  const low = (await readLag(servers.target, 'lag')).lagMs;
  await applier.stop();
  await delay(300);
  const before = (await checkpointOf(migration)).position;
  await delay(4000);
  const high = (await readLag(servers.target, 'lag')).lagMs;
  const shown = witnessing.progress.at(-1)?.lagMs;
  expect((await checkpointOf(migration)).position).toEqual(before);
  applier = ends(startApplier(standIn));
  await until(async () => (await readLag(servers.target, 'lag')).lagMs < 1000);
  await shoppers.stop();
  clearInterval(watch);
  expect(low).toBeLessThan(1000);
  expect(high).toBeGreaterThan(3500);
  expect(shown).toBeGreaterThan(3000);
  expect(looks).toBeGreaterThan(50);
  expect(ahead).toBe(0);
  const end = await binlogEnd(servers.source);
  await awaitApplied(servers.target, 'lag', end, { signal: AbortSignal.timeout(3000) });
});

test('one row that always changes stops nothing, whether the binlog tells its states or not', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'hot', ['shop'], shop);
  ends(startApplier(standIn));
  const witnessing = ends(startWitness(migration));
  for (const change of [
    'UPDATE shop.counter SET n = n + 1',
    "UPDATE shop.docs SET doc = JSON_OBJECT('at', UUID())",
  ]) {
    let goesOn = true;
    const writing = (async () => {
      await using c = await openConnection(servers.source);
      while (goesOn) await c.query(change);
    })();
    await delay(700);
    const seen = witnessing.progress.length;
    const from = await binlogEnd(servers.source);
    await awaitApplied(servers.target, 'hot', from, { signal: AbortSignal.timeout(2500) });
    await delay(1000);
    expect((await readLag(servers.target, 'hot')).lagMs).toBeLessThan(2000);
    expect(witnessing.progress.length).toBeGreaterThan(seen);
    goesOn = false;
    await writing;
  }
});

test('a row that always changes is no excuse when nobody applies', async () => {
  const { migration } = await beginWitnessed(servers, 'hot-alone', ['shop'], shop);
  ends(startWitness(migration));
  await using c = await openConnection(servers.source);
  const change = async () => {
    await c.query("UPDATE shop.docs SET doc = JSON_OBJECT('at', UUID())");
    await c.query('UPDATE shop.counter SET n = n + 1');
  };
  await change();
  const before = await binlogEnd(servers.source);
  for (const end = Date.now() + 2500; Date.now() < end;) await change();
  const { position } = await checkpointOf(migration);
  expect(compareFilePositions(position!, before)).toBeLessThan(0);
});

test('killed again and again, it goes on from its checkpoint and stops at `until`', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'killed', ['shop'], shop);
  ends(startApplier(standIn));
  const shoppers = shopping();
  cleanUp.push(() => shoppers.stop());
  let last = migration.start;
  let moved = 0;
  for (let i = 0; i < 6; i++) {
    const witnessing = startWitness(migration);
    await delay(150 + 130 * i);
    await witnessing.stop();
    await expect(witnessing.ended).rejects.toThrow('stopped by the test');
    const { position } = await checkpointOf(migration);
    expect(compareFilePositions(position!, last)).toBeGreaterThanOrEqual(0);
    if (compareFilePositions(position!, last) > 0) moved += 1;
    last = position!;
  }
  expect(moved).toBeGreaterThan(1);
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
  const waits = await Promise.race([witnessing.ended.catch(() => 'ended'), 'waits']);
  settled = true;
  const failure: unknown = await witnessing.ended.catch((error: unknown) => error);
  expect(waits).toBe('waits');
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
