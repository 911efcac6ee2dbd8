import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readCheckpoint } from '../../src/checkpoint/store.ts';
import { copyTables } from '../../src/copy/copy-tables.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import {
  deafenAfter,
  FaultProxy,
  loseCommitReply,
  resetAfter,
  stallAfter,
} from '../fault-proxy.ts';
import { awaitApplied } from '../../src/replicate/await-applied.ts';
import type { Migration } from '../replicate/lab.ts';
import {
  beginMigration,
  binlogEnd,
  catchUp,
  countRows,
  differences,
  finishSchema,
  LCTN,
  run,
} from '../replicate/lab.ts';
import { startMysqlPair } from '../servers.ts';

/**
 * What a network can do to the copy and to the change capture, on real sockets. Every scenario goes
 * through the whole way of the data under writes: copy, convergence, indexes, changes; then the rows of
 * both servers are compared. Killed sessions and frozen servers are in test/copy, test/replicate and
 * test/mysql.
 */
let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let toSource: FaultProxy;
let toTarget: FaultProxy;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
  [toSource, toTarget] = await Promise.all([
    FaultProxy.open(servers.source.port),
    FaultProxy.open(servers.target.port),
  ]);
});
afterAll(async () => {
  await Promise.all([toSource.close(), toTarget.close()]);
  await servers.stop();
});
beforeEach(() => {
  for (const proxy of [toSource, toTarget]) {
    proxy.release();
    Object.assign(proxy.met, { swallow: 0, stall: 0, reset: 0 });
  }
});

const ROWS = 3000;
const tables = [
  `CREATE TABLE account (id int PRIMARY KEY AUTO_INCREMENT, owner varchar(40) NOT NULL, balance decimal(12,2),
     filler varchar(1000), UNIQUE (owner))`,
  `CREATE TABLE entry (id bigint PRIMARY KEY AUTO_INCREMENT, account int NOT NULL, amount decimal(12,2),
     FOREIGN KEY (account) REFERENCES account (id) ON DELETE CASCADE)`,
  // Without a key a change that is applied twice shows as a doubled or missing row.
  'CREATE TABLE journal (what varchar(20), amount int)',
  `INSERT INTO account (owner, balance, filler)
     WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
     SELECT CONCAT('o', a.i, '-', b.i), a.i, REPEAT(CONCAT(a.i, '.'), 150) FROM n a
     JOIN (SELECT 1 i UNION ALL SELECT 2 UNION ALL SELECT 3) b`,
  'INSERT INTO entry (account, amount) SELECT id, id / 4 FROM account',
  "INSERT INTO journal SELECT 'opened', id % 7 FROM account",
];

/** One way of the data whose connections go through the proxies. */
async function begin(name: string, tls: 'tls' | 'plain' = 'tls'): Promise<Migration> {
  const migration = await beginMigration(servers, name, ['bank'], tables, {
    indexes: false,
    batchRows: 50,
  });
  const reached = (proxy: FaultProxy, of: typeof servers.source) => ({
    ...proxy.endpoint(of),
    ...(tls === 'plain' && { tls: { mode: 'disabled' as const } }),
  });
  return {
    ...migration,
    job: {
      ...migration.job,
      source: reached(toSource, servers.source),
      target: reached(toTarget, servers.target),
    },
  };
}

async function copy({ job }: Migration): Promise<void> {
  await copyTables(
    { ...job, parallel: 2, chunkRows: 500 },
    { signal: AbortSignal.timeout(60_000), onProgress: () => {} },
  );
}

/** Applies until everything that was written by now is there. */
async function converge(migration: Migration): Promise<void> {
  const until = await binlogEnd(servers.source);
  await applyChanges(
    { ...migration.job, until },
    { signal: AbortSignal.timeout(60_000), onProgress: () => {} },
  );
}

/** Secondary indexes, foreign keys, more changes and the comparison: on a sound network again. */
async function differencesAfterAll(migration: Migration): Promise<Record<string, string>> {
  for (const proxy of [toSource, toTarget]) proxy.release();
  await catchUp(migration);
  await finishSchema(servers.target, migration.catalog, migration.job.migration);
  await write(30);
  await catchUp(migration);
  // Nor is the comparison one of nothing with nothing.
  expect(await countRows(servers.target, 'bank.account')).toBeGreaterThan(ROWS);
  return differences({ ...migration, job: { ...migration.job, ...servers } });
}

let written = 0;
/** So many transactions of the application, on its own connection. */
async function write(times: number): Promise<void> {
  await withConnection(servers.source, { database: 'bank' }, async (c) => {
    for (let i = 0; i < times; i++) {
      const n = (written += 1);
      await c.query('BEGIN');
      await c.execute('INSERT INTO account (owner, balance) VALUES (?, 0)', [`new ${n}`]);
      await c.execute('UPDATE account SET balance = balance + 1 WHERE id % 97 = ?', [n % 97]);
      await c.execute('INSERT INTO entry (account, amount) VALUES (?, ?)', [2500 + (n % 400), n]);
      await c.execute("INSERT INTO journal VALUES ('written', ?), ('written', ?)", [n % 3, n % 3]);
      await c.execute("DELETE FROM journal WHERE what = 'opened' AND amount = ? LIMIT 2", [n % 7]);
      await c.query('COMMIT');
      if (n % 5 === 0) await c.execute('DELETE FROM account WHERE id = ?', [n * 3]);
    }
  });
}

test('COMMIT executed but the reply lost: the chunks of a copy', async () => {
  const migration = await begin('lost-chunks', 'plain');
  const writing = write(60);
  toTarget.fault = loseCommitReply((n) => n % 2 === 1 && n < 12);
  await copy(migration);
  expect(toTarget.met.reset).toBeGreaterThanOrEqual(3);
  await writing;
  expect(await differencesAfterAll(migration)).toEqual({});
});

test('COMMIT executed but the reply lost: the batches of the change capture', async () => {
  const migration = await begin('lost-batches', 'plain');
  await copy(migration);
  toTarget.fault = loseCommitReply((n) => n % 3 === 0 && n < 20);
  const writing = write(100);
  await Promise.all([writing, sleep(300).then(() => converge(migration))]);
  await write(50);
  await converge(migration);
  expect(toTarget.met.reset).toBeGreaterThanOrEqual(2);
  expect(await differencesAfterAll(migration)).toEqual({});
  // Not one transaction was counted twice either.
  const stored = await withConnection(servers.target, {}, (c) => readCheckpoint(c, 'lost-batches'));
  expect(stored?.transactions).toBeGreaterThan(180);
  expect(stored?.transactions).toBe(await transactionsSince(migration));
});

/** What the source has logged since the migration began. */
async function transactionsSince({ start }: Migration): Promise<number> {
  const [row] = await withConnection(servers.source, {}, (c) =>
    c.query('SELECT GTID_SUBTRACT(@@global.gtid_executed, ?) AS s', [start.gtidSet]),
  );
  const [, from = '0', to = from] = /:(\d+)(?:-(\d+))?$/.exec(String(row?.['s'])) ?? [];
  return Number(to) - Number(from) + 1;
}

test('RST after 1 MB, in the middle of the rows: from the source, then to the target', async () => {
  const migration = await begin('reset-load');
  const writing = write(60);
  toSource.fault = resetAfter(1 << 19, 'to-client', 2);
  toTarget.fault = resetAfter(1 << 20, 'to-server', 1);
  await copy(migration);
  expect([toSource.met.reset, toTarget.met.reset]).toEqual([2, 1]);
  await writing;
  expect(await differencesAfterAll(migration)).toEqual({});
});

test('RST after 1 MB of the binlog stream, and again', async () => {
  const migration = await begin('reset-stream');
  await copy(migration);
  await write(10);
  // Some 2 MB of row images in transactions larger than a batch.
  await run(servers.source, [
    "UPDATE bank.account SET filler = CONCAT('a', filler) WHERE id <= 1500",
    "UPDATE bank.account SET filler = CONCAT('b', filler) WHERE id > 1500",
  ]);
  toSource.fault = resetAfter(1 << 20, 'to-client', 2);
  toTarget.fault = resetAfter(1 << 19, 'to-server', 1);
  await Promise.all([converge(migration), write(30)]);
  expect(toSource.met.reset).toBe(2);
  expect(toTarget.met.reset).toBe(1);
  expect(await differencesAfterAll(migration)).toEqual({});
});

test('a stream that stalls longer than the stall timeout, and one whose far side is gone (half-open)', async () => {
  const migration = await begin('stalled');
  await copy(migration);
  await write(40);
  const live = new AbortController();
  const applied = applyChanges(migration.job, { signal: live.signal, onProgress: () => {} });
  const ended = applied.catch(() => {});
  await write(20);
  for (const fault of [stallAfter, deafenAfter]) {
    // The binlog stream is the one connection to the source on which anything is said now.
    const fate = fault === stallAfter ? 'stall' : 'swallow';
    toSource.fault = fault(1, 'to-client');
    await toSource.untilMet(fate);
    // Only that connection is lost; the next one is sound.
    toSource.fault = ({ link }) => (link.notes.has('deaf') ? 'swallow' : 'pass');
    await write(20);
    // Three missed heartbeats of a second each are a lost connection, which is opened anew.
    await untilApplied('stalled');
    toSource.release();
    await write(10);
  }
  live.abort();
  await ended;
  expect(await differencesAfterAll(migration)).toEqual({});
});

/** Waits for the running change capture to be where the source is now. */
async function untilApplied(migration: string): Promise<void> {
  const end = await binlogEnd(servers.source);
  const options = { signal: AbortSignal.timeout(20_000), onProgress: () => {} };
  await awaitApplied(servers.target, migration, end, options);
}

test('half-open in the middle of a transaction: whoever takes over does not wait for its locks', async () => {
  const migration = await begin('half-open');
  await copy(migration);
  await converge(migration);
  await run(servers.source, ["UPDATE bank.account SET filler = CONCAT('x', filler)"]);
  toTarget.fault = deafenAfter(400_000, 'to-server');
  const lost = new AbortController();
  const applied = applyChanges(migration.job, { signal: lost.signal, onProgress: () => {} });
  const ended = applied.catch(() => {});
  await toTarget.untilMet('swallow');
  const began = Date.now();
  const until = await binlogEnd(servers.source);
  await applyChanges(
    { ...migration.job, target: servers.target, until },
    { signal: AbortSignal.timeout(40_000), onProgress: () => {} },
  );
  expect(Date.now() - began).toBeLessThan(20_000);
  lost.abort();
  await ended;
  expect(await differencesAfterAll(migration)).toEqual({});
});

test('latency: 50 ms there and back, on both sides', async () => {
  const migration = await begin('far');
  for (const proxy of [toSource, toTarget]) proxy.delay(25, 'to-server', 'to-client');
  const writing = write(40);
  await copy(migration);
  await writing;
  await converge(migration);
  expect(await differencesAfterAll(migration)).toEqual({});
});
