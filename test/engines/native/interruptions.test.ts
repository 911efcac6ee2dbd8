import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { acquireEpoch } from '../../../src/checkpoint/epoch.ts';
import { readCheckpoint, remember } from '../../../src/checkpoint/store.ts';
import type { FilePosition } from '../../../src/mysql/position.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import { attach } from '../../../src/engines/native/attach.ts';
import type { NativeJob } from '../../../src/engines/native/job.ts';
import { detach, end, release } from '../../../src/engines/native/detach.ts';
import { FaultProxy } from '../../fault-proxy.ts';
import { startMysqlPair } from '../../servers.ts';
import type { Migration } from '../../replicate/lab.ts';
import { beginMigration, binlogEnd, catchUp, differences, run } from '../../replicate/lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from '../../replicate/workload.ts';
import { until } from '../../replicate/running.ts';
import { drained, nativeJob, replicaStatus, startNative } from './lab.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let toTarget: FaultProxy;
let toSource: FaultProxy;
let cleanUp: (() => Promise<unknown>)[] = [];
const { signal } = new AbortController();

beforeAll(async () => {
  servers = await startMysqlPair();
  [toTarget, toSource] = await Promise.all([
    FaultProxy.open(servers.target.port),
    FaultProxy.open(servers.source.port),
  ]);
});
afterEach(async () => {
  toTarget.release();
  toSource.release();
  for (const each of cleanUp.splice(0)) await each();
});
afterAll(async () => {
  await Promise.all([toTarget.close(), toSource.close()]);
  await servers.stop();
});

async function begin(name: string): Promise<Migration> {
  const migration = await beginMigration(servers, name, workloadSchemas, workloadTables, {
    lctn: 0,
  });
  cleanUp.push(() => end(migration.job, signal));
  return migration;
}

function begun(migration: Migration, changes: Parameters<typeof nativeJob>[1] = {}) {
  const job = nativeJob(migration, changes);
  const running = startNative(job);
  cleanUp.unshift(() => running.stop());
  return { job, running };
}

test('a worker that dies at any statement of the hand-over: the next one goes on, nothing is doubled', async () => {
  const migration = await begin('dying');
  const through = nativeJob(migration, { target: toTarget.endpoint(servers.target) });
  await writeRandomly(servers.source, 11, 100);
  const found = { nothing: 0, configured: 0, running: 0 };
  const all = await diesAt(through, Number.POSITIVE_INFINITY);
  for (let n = all - 84; n <= all - 40; n += 1) {
    await release(migration.job, signal);
    await writeRandomly(servers.source, n, 2);
    await diesAt(through, n);
    const status = await replicaStatus(servers.target);
    if (status === undefined) found.nothing += 1;
    else found[status['Replica_SQL_Running'] === 'Yes' ? 'running' : 'configured'] += 1;
    if (n % 2 === 1) await diesAt(through, 60 + (n % 7));
  }
  expect([found.nothing + found.configured > 2, found.running > 2]).toEqual([true, true]);
  const { job, running } = begun(migration);
  await writeRandomly(servers.source, 12, 100);
  await drained(job, running);
  expect(await differences(migration)).toEqual({});
});

/** At the n-th piece that it sends to the target, or as soon as it was seen running; says how many it sent. */
async function diesAt(job: NativeJob, n: number): Promise<number> {
  let pieces = 0;
  const running = startNative(job);
  toTarget.fault = ({ direction }) => {
    if (direction === 'to-server') pieces += 1;
    if (pieces >= n) void running.stop();
    return 'pass';
  };
  await until(() => pieces >= n || running.progress.some(({ engine }) => engine !== undefined));
  await running.stop();
  toTarget.release();
  return pieces;
}

test('what another engine takes over goes on where MySQL stopped', async () => {
  const migration = await begin('back');
  const { job, running } = begun(migration);
  await writeRandomly(servers.source, 21, 150);
  await drained(job, running);
  const writing = writeRandomly(servers.source, 22, 150);
  await running.stop();
  await writing;
  await release(job, signal);
  expect(await replicaStatus(servers.target)).toBeUndefined();
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
});

test('a worker that was frozen before it set anything up comes too late once another engine was chosen', async () => {
  const migration = await begin('frozen');
  const job = nativeJob(migration);
  const epoch = await withConnection(servers.target, {}, (c) => acquireEpoch(c, 'frozen'));
  expect(await release(job, signal)).toBe(false);
  const late = attach(job, { name: 'frozen', epoch }, signal);
  await expect(late).rejects.toMatchObject({ code: 'EPOCH_LOST' });
  expect(await replicaStatus(servers.target)).toBeUndefined();
});

test('removed for a cutover it stays away, and comes back without doubling when that is taken back', async () => {
  const migration = await begin('cutover');
  const { job, running } = begun(migration);
  await writeRandomly(servers.source, 31, 100);
  await drained(job, running);
  const before = await stored('cutover');
  await write('cutover', { cutover: { replicationRemoved: true } });
  await detach(job, signal);
  await writeRandomly(servers.source, 32, 50);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await replicaStatus(servers.target)).toBeUndefined();
  // As if the checkpoint had never heard of the last transactions.
  await withConnection(servers.target, {}, (c) =>
    c.query("UPDATE skyferry.migration SET binlog_offset = 4 WHERE name = 'cutover'"),
  );
  await write('cutover', { cutover: { replicationRemoved: null } });
  await drained(job, running);
  expect(await differences(migration)).toEqual({});
  expect(running.progress.some(({ engine }) => engine === 'removed for the cutover')).toBe(true);
  // Parallel appliers tell their file and offset some time after the GTIDs.
  await until(async () => (await stored('cutover')).offset > before.offset);
});

test('a target that was restarted lets in no other schema, and nothing is lost', async () => {
  const migration = await begin('restarted');
  const { job, running } = begun(migration);
  await drained(job, running);
  const writing = writeRandomly(servers.source, 41, 300);
  await servers.targetServer.restart();
  await writing;
  await drained(job, running);
  await until(
    async () =>
      (await replicaStatus(servers.target))?.['Replicate_Wild_Do_Table'] === 'Ledger.%,side.%',
  );
  await run(servers.source, ['CREATE DATABASE late', 'DROP DATABASE late']);
  await drained(job, running);
  expect(await differences(migration)).toEqual({});
});

test('a network that is cut for a while is said and survived', async () => {
  const migration = await begin('network');
  const { job, running } = begun(migration, { source: toSource.endpoint(servers.source) });
  await writeRandomly(servers.source, 51, 50);
  await drained(job, running, servers.source);
  toSource.fault = () => 'reset';
  await writeRandomly(servers.source, 52, 100);
  const where = `connecting to the source: the target has to reach localhost:${toSource.port}`;
  await until(() => (running.progress.at(-1)?.engine ?? '').includes(where));
  await until(() => (running.progress.at(-1)?.lagMs ?? 0) > 2000);
  toSource.release();
  await drained(job, running, servers.source);
  await until(() => /runs/.test(running.progress.at(-1)?.engine ?? ''));
  expect(await differences(migration)).toEqual({});
});

test('a row that somebody wrote on the target stops it by transaction and number; mended, it goes on', async () => {
  const migration = await begin('conflict');
  const first = begun(migration);
  await drained(first.job, first.running);
  await run(servers.target, ["INSERT INTO Ledger.folded VALUES ('zqx', 1)"]);
  await run(servers.source, ["INSERT INTO Ledger.folded VALUES ('zqx', 2)"]);
  const failure = await first.running.ended.catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'ROWS_DIFFER',
    retryable: false,
    message: expect.stringMatching(
      /stopped at transaction [0-9a-f-]{36}:\d+ \(binlog after \S+:\d+\): error 1062/,
    ) as string,
    detail: { errno: 1062 },
  });
  expect(JSON.stringify(failure)).not.toContain('zqx');
  await run(servers.target, ["DELETE FROM Ledger.folded WHERE name = 'zqx'"]);
  const { job, running } = begun(migration);
  await drained(job, running);
  expect(await differences(migration)).toEqual({});
});

test('a replication that somebody else set up is left alone', async () => {
  const migration = await begin('foreign');
  await run(servers.target, [
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'elsewhere', SOURCE_USER = 'someone'",
  ]);
  cleanUp.push(() => run(servers.target, ['RESET REPLICA ALL']));
  const { running } = begun(migration);
  await expect(running.ended).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT' });
  expect(await replicaStatus(servers.target)).toMatchObject({ Source_Host: 'elsewhere' });
});

test('a login that is refused and a binlog that is gone end it by name', async () => {
  const migration = await begin('refused');
  const first = begun(migration);
  await drained(first.job, first.running);
  const user = String((await replicaStatus(servers.target))?.['Source_User']);
  await run(servers.source, [`ALTER USER '${user}'@'%' ACCOUNT LOCK`]);
  await run(servers.target, ['STOP REPLICA IO_THREAD']);
  await expect(first.running.ended).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  await run(servers.target, ['STOP REPLICA IO_THREAD']);
  await run(servers.source, [`ALTER USER '${user}'@'%' ACCOUNT UNLOCK`, 'FLUSH LOGS']);
  await writeRandomly(servers.source, 61, 10);
  const { file } = await binlogEnd(servers.source);
  await run(servers.source, [`PURGE BINARY LOGS TO '${file}'`]);
  await expect(begun(migration).running.ended).rejects.toMatchObject({ code: 'BINLOG_PURGED' });
});

test('GTIDs that the target claims without having the rows are refused: MySQL would leave them out', async () => {
  const migration = await begin('claimed');
  const [row] = await withConnection(servers.source, {}, (c) =>
    c.query('SELECT @@server_uuid AS uuid'),
  );
  await run(servers.target, [
    `SET gtid_next = '${String(row?.['uuid'])}:900000'`,
    'BEGIN',
    'COMMIT',
    "SET gtid_next = 'AUTOMATIC'",
  ]);
  const { job, running } = begun(migration);
  await expect(running.ended).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT' });
  expect(await replicaStatus(job.target)).toBeUndefined();
});

async function stored(name: string): Promise<FilePosition> {
  const checkpoint = await withConnection(servers.target, {}, (c) => readCheckpoint(c, name));
  if (!checkpoint?.position) throw new Error('no position');
  return checkpoint.position;
}

async function write(name: string, patch: Record<string, unknown>): Promise<void> {
  await withConnection(servers.target, {}, (c) => remember(c, name, patch));
}
