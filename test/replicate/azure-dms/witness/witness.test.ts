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
