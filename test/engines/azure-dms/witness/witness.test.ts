import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../../src/mysql/connection.ts';
import { compareFilePositions } from '../../../../src/mysql/position.ts';
import { readBinlog } from '../../../../src/mysql/binlog/read-binlog.ts';
import { assembleTransactions } from '../../../../src/mysql/binlog/transactions.ts';
import { GtidSet } from '../../../../src/mysql/gtid-set.ts';
import { applyChanges } from '../../../../src/replicate/apply-changes.ts';
import { Marks } from '../../../../src/engines/azure-dms/witness/marks.ts';
import type { RowHistory } from '../../../../src/engines/azure-dms/witness/row-history.ts';
import { SourceReader } from '../../../../src/engines/azure-dms/witness/source-reader.ts';
import { ReplicatedTables } from '../../../../src/replicate/replicated-tables.ts';
import { awaitApplied } from '../../../../src/replicate/await-applied.ts';
import { readLag } from '../../../../src/replicate/await-lag.ts';
import { startMysqlPair } from '../../../servers.ts';
import { binlogEnd, differences, run } from '../../../replicate/lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from '../../../replicate/workload.ts';
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

test('follows every kind of change to the end, with the numbers of transactions and rows', async () => {
  const { migration, standIn } = await beginWitnessed(
    servers,
    'kinds',
    workloadSchemas,
    workloadTables,
  );
  const applier = ends(startApplier(standIn));
  const witnessing = ends(startWitness(migration));
  await writeRandomly(servers.source, 3, 120);
  const end = await binlogEnd(servers.source);
  const signal = AbortSignal.timeout(10_000);
  const seen = await awaitApplied(servers.target, 'kinds', end, { signal });
  const applied = await awaitApplied(servers.target, 'kinds-stand-in', end, { signal });
  expect(seen.position).toEqual(applied.position);
  expect(seen.transactions).toBe(applied.transactions);
  expect(seen.rowChanges).toBeGreaterThan(100);
  expect(await differences(migration)).toEqual({});
  await delay(1500);
  const idle = await readLag(servers.target, 'kinds');
  expect(idle.lagMs).toBeLessThan(2500);
  const last = witnessing.progress.at(-1);
  expect(last).toMatchObject({ transactions: seen.transactions, rowChanges: seen.rowChanges });
  expect(last?.lagMs).toBeLessThan(2500);
  await applier.stop();
});

test('never says more than what is applied; the lag grows while nobody applies, and falls again', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'lag', ['shop'], shop);
  const witnessing = ends(startWitness(migration));
  let applier = ends(startApplier(standIn));
  const shoppers = shopping(servers.source);
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
  await delay(1000);
  await until(async () => (await readLag(servers.target, 'lag')).lagMs < 1000);
  await applier.stop();
  // What was applied at last may be seen a little later.
  await delay(1000);
  const before = (await checkpointOf(migration)).position;
  await delay(3000);
  const high = (await readLag(servers.target, 'lag')).lagMs;
  const shown = witnessing.progress.at(-1)?.lagMs;
  expect((await checkpointOf(migration)).position).toEqual(before);
  applier = ends(startApplier(standIn));
  await until(async () => (await readLag(servers.target, 'lag')).lagMs < 1000);
  await shoppers.stop();
  clearInterval(watch);
  expect(high).toBeGreaterThan(3000);
  expect(shown).toBeGreaterThan(2500);
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
    const state = { goesOn: true };
    const writing = (async () => {
      await using c = await openConnection(servers.source);
      while (state.goesOn) await c.query(change);
    })();
    await delay(700);
    const seen = witnessing.progress.length;
    const from = await binlogEnd(servers.source);
    await awaitApplied(servers.target, 'hot', from, { signal: AbortSignal.timeout(2500) });
    await delay(1000);
    expect((await readLag(servers.target, 'hot')).lagMs).toBeLessThan(2000);
    expect(witnessing.progress.length).toBeGreaterThan(seen);
    state.goesOn = false;
    await writing;
  }
});

test('what always changes, or comes and goes, is no excuse when nobody applies', async () => {
  const { migration } = await beginWitnessed(servers, 'nobody', ['shop'], shop);
  await using c = await openConnection(servers.source, { database: 'shop' });
  await c.query('BEGIN');
  await c.query("INSERT INTO jobs (what) VALUES ('stays')");
  for (let i = 0; i < 150; i++) {
    await c.query("INSERT INTO jobs (what) VALUES ('goes')");
    await c.query('DELETE FROM jobs WHERE id = LAST_INSERT_ID()');
  }
  await c.query('COMMIT');
  ends(startWitness(migration));
  await delay(1000);
  expect((await checkpointOf(migration)).position).toEqual(migration.start);
  await run(servers.target, ["INSERT INTO shop.jobs VALUES (1, 'stays')"]);
  const gone = await binlogEnd(servers.source);
  await awaitApplied(servers.target, 'nobody', gone, { signal: AbortSignal.timeout(3000) });

  await c.query('UPDATE counter SET n = n + 1');
  const before = await binlogEnd(servers.source);
  for (const end = Date.now() + 2000; Date.now() < end;) {
    await c.query("UPDATE docs SET doc = JSON_OBJECT('at', UUID())");
    await c.query('UPDATE counter SET n = n + 1');
  }
  const { position } = await checkpointOf(migration);
  expect(compareFilePositions(position!, before)).toBeLessThan(0);
});

test('rows that live for a moment only: the position neither runs ahead nor stands still', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'queue', ['shop'], shop);
  ends(startWitness(migration));
  const state = { goesOn: true };
  const writing = (async () => {
    await using c = await openConnection(servers.source, { database: 'shop' });
    while (state.goesOn) {
      await c.query("INSERT INTO jobs (what) VALUES ('send')");
      await c.query('DELETE FROM jobs WHERE id + 6 <= LAST_INSERT_ID()');
      await delay(60);
    }
  })();
  await delay(500);
  const first = await binlogEnd(servers.source);
  await delay(2500);
  expect(compareFilePositions((await checkpointOf(migration)).position!, first)).toBeLessThan(0);
  ends(startApplier(standIn));
  await until(async () => (await readLag(servers.target, 'queue')).lagMs < 1000, 5000);
  state.goesOn = false;
  await writing;
});

test('a row that changes before its last state has arrived: any later state is enough', async () => {
  const { migration, standIn } = await beginWitnessed(servers, 'late', ['shop'], shop);
  const state = { goesOn: true };
  const applyingLate = (async () => {
    while (state.goesOn) {
      const end = await binlogEnd(servers.source);
      await delay(600);
      const options = { signal: AbortSignal.timeout(5000), onProgress: () => {} };
      await applyChanges({ ...standIn.job, until: end }, options);
    }
  })();
  const writing = (async () => {
    await using c = await openConnection(servers.source);
    while (state.goesOn) {
      await c.query("UPDATE shop.docs SET doc = JSON_OBJECT('at', UUID())");
      await delay(300);
    }
  })();
  ends(startWitness(migration));
  await delay(1500);
  const now = await binlogEnd(servers.source);
  const signal = AbortSignal.timeout(4000);
  const seen = await awaitApplied(servers.target, 'late', now, { signal });
  expect(seen.rowChanges).toBeGreaterThan(2);
  state.goesOn = false;
  await Promise.all([applyingLate, writing]);
});

test('many points wait: so many are kept, and every row is watched by one of them', async () => {
  const { migration } = await beginWitnessed(servers, 'marks', ['shop'], shop);
  await using c = await openConnection(servers.source, { database: 'shop' });
  for (let i = 0; i < 60; i++) {
    await c.query(i === 1 ? 'UPDATE counter SET n = 1' : `INSERT INTO orders (n) VALUES (${i})`);
  }
  const counter = { read: 0, confirmed: 0 };
  const marks = new Marks(counter);
  const tables = new ReplicatedTables(migration.catalog, 0, new Map());
  const reader = new SourceReader({ tables, lctn: 0, from: migration.start, counter, marks });
  let now = 0;
  const onEvent = assembleTransactions({
    wants: (shape) => reader.wants(shape),
    rows: (event) => reader.rows(event),
    statement: (event) => reader.statement(event),
    commit: (transaction) => {
      reader.commit(transaction);
      marks.set((now += 1000));
    },
  });
  const from = GtidSet.parse(migration.start.gtidSet);
  const { source } = servers;
  await readBinlog({ source, serverId: 77, from, heartbeatMs: 1000, untilEnd: true }, onEvent);
  const changes: number[] = [];
  const watched = new Map<string, Set<RowHistory>>();
  for (let mark = marks.oldest; mark !== undefined; mark = marks.oldest) {
    changes.push(mark.change);
    for (const [{ form }, witnesses] of mark.tables) {
      const rows = watched.get(form.table.name.name) ?? new Set();
      for (const { row } of witnesses) rows.add(row);
      watched.set(form.table.name.name, rows);
    }
    marks.confirm();
  }
  expect(changes.length).toBeLessThanOrEqual(16);
  expect(changes).toEqual([...changes].sort((a, b) => a - b));
  expect(changes.at(-1)).toBe(60);
  expect([...watched.keys()].sort()).toEqual(['counter', 'orders']);
  const rows = [...watched.values()].flatMap((each) => [...each]);
  expect(rows.length).toBeGreaterThanOrEqual(changes.length);
  expect(rows.map(({ watchers }) => watchers)).toEqual(rows.map(() => 0));
  expect(counter).toEqual({ read: 60, confirmed: 60 });
});
