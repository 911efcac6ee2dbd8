import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../../src/mysql/connection.ts';
import { GtidSet } from '../../../src/mysql/gtid-set.ts';
import { end } from '../../../src/engines/native/detach.ts';
import { startMysqlPair } from '../../servers.ts';
import { beginMigration, catchUp, countRows, differences, run } from '../../replicate/lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from '../../replicate/workload.ts';
import { until } from '../../replicate/running.ts';
import { drained, nativeJob, replicaStatus, startNative } from './lab.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
const { signal } = new AbortController();

beforeAll(async () => {
  servers = await startMysqlPair();
});
afterAll(async () => {
  await servers.stop();
});

function begin(name: string) {
  return beginMigration(servers, name, workloadSchemas, workloadTables, { lctn: 0 });
}

/** Transactions of the source that the target executed under their own GTIDs. */
async function executed(): Promise<number> {
  const [from] = await withConnection(servers.source, {}, (c) => c.query('SELECT @@server_uuid u'));
  const [row] = await withConnection(servers.target, {}, (c) =>
    c.query<{ g: string }>('SELECT @@global.gtid_executed AS g'),
  );
  const ofSource = new Set([String(from?.['u'])]);
  return Number(
    GtidSet.parse((row?.g ?? '').replaceAll(/\s/g, ''))
      .ofServers(ofSource)
      .size(),
  );
}

async function accounts(side: 'source' | 'target'): Promise<string[]> {
  const rows = await withConnection(servers[side], {}, (c) =>
    c.query("SELECT user FROM mysql.user WHERE user LIKE 'skyferry%'"),
  );
  return rows.map((row) => String(row['user']));
}

test('under live writers MySQL goes on where our applier stopped, and nothing stays behind', async () => {
  const migration = await begin('handed');
  const job = nativeJob(migration);
  await writeRandomly(servers.source, 1, 100);
  await catchUp(migration);
  const writing = Promise.all([2, 3, 4].map((seed) => writeRandomly(servers.source, seed, 300)));
  const running = startNative(job);
  await until(() => running.progress.some(({ engine }) => engine !== undefined));
  const handedOver = await executed();
  await writing;
  await run(servers.source, [
    'FLUSH LOGS',
    'CREATE DATABASE IF NOT EXISTS other',
    'CREATE TABLE IF NOT EXISTS other.t (a int)',
    'INSERT INTO other.t VALUES (1)',
  ]);
  await drained(job, running);
  expect(await differences(migration)).toEqual({});
  // MySQL itself applied much of what was written, by the GTIDs that it keeps.
  expect((await executed()) - handedOver).toBeGreaterThan(100);
  expect(await countRows(servers.source, 'Ledger.parent')).toBeGreaterThan(5);
  expect(await replicaStatus(servers.target)).toMatchObject({
    Auto_Position: 0,
    Replicate_Wild_Do_Table: 'Ledger.%,side.%',
  });
  await until(() => (running.progress.at(-1)?.lagMs ?? 99_999) < 2000);
  expect(running.progress.at(-1)?.engine).toBe(
    "MySQL's replication runs: 4 workers, commit order kept",
  );
  // Neither the account nor another schema came over.
  expect(await accounts('source')).toHaveLength(1);
  expect(await accounts('target')).toEqual([]);
  await expect(countRows(servers.target, 'other.t')).rejects.toMatchObject({
    detail: { errno: 1049 },
  });
  await running.stop();
  expect(await end(job, signal)).toEqual([
    "removed MySQL's replication from the target",
    expect.stringMatching(
      /^dropped the replication account skyferry_repl_[0-9a-f]{12} on the source$/,
    ),
  ]);
  expect(await replicaStatus(servers.target)).toBeUndefined();
  expect(await accounts('source')).toEqual([]);
  expect(await end(job, signal)).toEqual([]);
});
