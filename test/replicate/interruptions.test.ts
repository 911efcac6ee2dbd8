import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCheckpoint } from '../../src/checkpoint/store.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import type { ApplyProgress } from '../../src/workflows/messages.ts';
import { startMysqlPair } from '../servers.ts';
import type { Migration } from './lab.ts';
import { beginMigration, catchUp, differences, LCTN, run } from './lab.ts';
import { randomNumbers, workloadSchemas, workloadTables, writeRandomly } from './workload.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
});
afterAll(async () => {
  await servers.stop();
});

function begin(name: string): Promise<Migration> {
  return beginMigration(servers, name, workloadSchemas, workloadTables, { batchRows: 20 });
}

function write(): Promise<unknown> {
  return Promise.all([5, 6].map((seed) => writeRandomly(servers.source, seed, 400)));
}

/** What a promise was rejected with; handled from the start. */
function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => error,
  );
}

class Running {
  goesOn = true;
  readonly end: Promise<unknown>;

  constructor(work: Promise<unknown>) {
    this.end = work.finally(() => {
      this.goesOn = false;
    });
  }
}

test('aborted at any moment and begun again: nothing is lost or doubled', async () => {
  const migration = await begin('aborted');
  const pick = randomNumbers(4);
  const writing = new Running(write());
  let aborted = 0;
  while (writing.goesOn) {
    const stop = new AbortController();
    const reason = new Error('enough');
    const applied = applyChanges(migration.job, { signal: stop.signal, onProgress: () => {} });
    const outcome = outcomeOf(applied);
    await delay(20 + pick(200));
    stop.abort(reason);
    expect(await outcome).toBe(reason);
    aborted += 1;
  }
  await writing.end;
  await catchUp(migration);
  expect(aborted).toBeGreaterThan(2);
  expect(await differences(migration)).toEqual({});
});

test('sessions killed on both servers: it goes on by itself', async () => {
  const migration = await begin('killed');
  const stop = new AbortController();
  const applied = applyChanges(migration.job, { signal: stop.signal, onProgress: () => {} });
  const outcome = outcomeOf(applied);
  await using source = await openConnection(servers.source);
  await using target = await openConnection(servers.target);
  const writing = new Running(write());
  let killed = 0;
  // On a busy machine little happens while it is written; what is left to apply is interrupted too.
  while (writing.goesOn || killed < 4) {
    await delay(150);
    killed += await killSessions(source, "COMMAND LIKE 'Binlog Dump%'");
    await delay(150);
    killed += await killSessions(target, `ID <> ${target.threadId} AND USER = 'root'`);
  }
  await writing.end;
  stop.abort();
  expect(await outcome).toMatchObject({ name: 'AbortError' });
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
});

async function killSessions(connection: Connection, where: string): Promise<number> {
  const rows = await connection.query(
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ${where}`,
  );
  for (const { id } of rows) await connection.query(`KILL ${Number(id)}`).catch(() => {});
  return rows.length;
}

test('a second applier takes over, the first stops with EPOCH_LOST', async () => {
  const migration = await begin('taken');
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: () => {} };
  const first = applyChanges(migration.job, options);
  const outcome = outcomeOf(first);
  const written = write();
  await delay(300);
  const second = applyChanges(migration.job, options);
  const secondOutcome = outcomeOf(second);
  expect(await outcome).toMatchObject({ code: 'EPOCH_LOST', retryable: false });
  await written;
  stop.abort();
  expect(await secondOutcome).toMatchObject({ name: 'AbortError' });
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
});

test('the target locks its rows for a while: the batch is tried again', async () => {
  const migration = await begin('locked');
  await run(servers.target, ['SET GLOBAL innodb_lock_wait_timeout = 1']);
  await run(servers.source, ["INSERT INTO Ledger.folded VALUES ('k', 1)"]);
  await catchUp(migration);
  await using blocker = await openConnection(servers.target);
  await blocker.query('BEGIN');
  await blocker.query("SELECT * FROM ledger.folded WHERE name = 'k' FOR UPDATE");
  await run(servers.source, ["UPDATE Ledger.folded SET v = 2 WHERE name = 'k'"]);
  const applied = catchUp(migration);
  await delay(1500);
  await blocker.query('ROLLBACK');
  await applied;
  await run(servers.target, ['SET GLOBAL innodb_lock_wait_timeout = 50']);
  expect(await differences(migration)).toEqual({});
});

test('the target takes no writes for a while, as when it fails over: the batch is tried again', async () => {
  const migration = await begin('read-only');
  await run(servers.source, ["INSERT INTO Ledger.folded VALUES ('k', 1)"]);
  await run(servers.target, ['SET GLOBAL super_read_only = ON']);
  const applied = catchUp(migration);
  await delay(1000);
  await run(servers.target, ['SET GLOBAL super_read_only = OFF, read_only = OFF']);
  await applied;
  expect(await differences(migration)).toEqual({});
});

test('a transaction is heard of while it is applied: whoever is silent is taken for stuck', async () => {
  const migration = await beginMigration(
    servers,
    'large',
    ['app'],
    ['CREATE TABLE t (id int PRIMARY KEY)', 'CREATE TABLE heap (n int)'],
    { batchRows: 50 },
  );
  const ids = Array.from({ length: 300 }, (_, id) => `(${id})`).join();
  await run(servers.source, [
    'BEGIN',
    `INSERT INTO app.t VALUES ${ids}`,
    `INSERT INTO app.heap VALUES ${ids}`,
    ...Array.from({ length: 25 }, (_, n) => `UPDATE app.heap SET n = n + 1000 WHERE n = ${n}`),
    'COMMIT',
  ]);
  const uncommitted: ApplyProgress[] = [];
  await catchUp(migration, (progress) => {
    if (progress.transactions === 0) uncommitted.push(progress);
  });
  expect([...new Set(uncommitted.map(({ rowChanges }) => rowChanges))]).toEqual([0, 300, 600]);
  // Each of the 25 may read the whole table.
  expect(uncommitted.filter(({ rowChanges }) => rowChanges === 600).length).toBeGreaterThan(2);
  expect(uncommitted.at(-1)?.lagMs).toBeGreaterThan(0);
  expect(await differences(migration)).toEqual({});
});

test('the stored position is the end of the last whole transaction', async () => {
  const migration = await begin('positions');
  await run(servers.source, [
    "INSERT INTO Ledger.folded VALUES ('a', 1)",
    'CREATE DATABASE IF NOT EXISTS elsewhere',
  ]);
  const position = await catchUp(migration);
  const stored = await withConnection(servers.target, {}, (c) => readCheckpoint(c, 'positions'));
  expect(stored?.position).toEqual(position);
  expect(stored).toMatchObject({ transactions: 2, rowChanges: 1 });
});
