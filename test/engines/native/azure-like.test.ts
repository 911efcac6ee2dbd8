import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../../src/mysql/connection.ts';
import { detach, end } from '../../../src/engines/native/detach.ts';
import { replicationProcedures } from '../../../src/sandbox/clouds/azure/mysql/procedures.ts';
import { SUPERUSER } from '../../../src/sandbox/servers/azure-like-target.ts';
import { startMysqlPair } from '../../servers.ts';
import { beginMigration, differences, run } from '../../replicate/lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from '../../replicate/workload.ts';
import { drained, nativeJob, replicaStatus, startNative } from './lab.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
const { signal } = new AbortController();

beforeAll(async () => {
  servers = await startMysqlPair({
    // Azure applies nothing of this schema, and its procedures write the authority to a file.
    targetFlags: ['--replicate-wild-ignore-table=mysql.%', '--secure-file-priv='],
  });
  await run(servers.target, [
    `CREATE USER '${SUPERUSER}'@'localhost' IDENTIFIED BY 'nobody.knows.1A'`,
    `GRANT ALL ON *.* TO '${SUPERUSER}'@'localhost'`,
    ...replicationProcedures,
    "CREATE USER customer@'%' IDENTIFIED BY 'customer.1A'",
    'GRANT REPLICATION_APPLIER, SESSION_VARIABLES_ADMIN, REPLICATION CLIENT ON *.* TO customer',
    ...['Ledger', 'side', 'skyferry'].map((schema) => `GRANT ALL ON ${schema}.* TO customer`),
    ...['change_master', 'start', 'stop', 'remove_master'].map(
      (name) => `GRANT EXECUTE ON PROCEDURE mysql.az_replication_${name} TO customer`,
    ),
  ]);
});
afterAll(async () => {
  await servers.stop();
});

test('where the account has only the procedures of Azure it replicates by them, over TLS', async () => {
  const migration = await beginMigration(servers, 'azure', workloadSchemas, workloadTables, {
    lctn: 0,
  });
  const customer = { ...servers.target, user: 'customer', password: 'customer.1A' };
  // The target may reach the source by another address than the worker does.
  const sourceSeen = { host: '127.0.0.1', port: servers.source.port };
  const job = nativeJob(migration, { target: customer, sourceSeen });
  await expect(
    withConnection(customer, {}, (c) => c.query("STOP REPLICA FOR CHANNEL ''")),
  ).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  const running = startNative(job);
  await writeRandomly(servers.source, 1, 200);
  await drained(job, running);
  const status = await replicaStatus(servers.target);
  expect(status).toMatchObject({
    Source_Host: '127.0.0.1',
    Source_SSL_Allowed: 'Yes',
    Auto_Position: 0,
  });
  expect(String(status?.['Source_SSL_CA_File'])).toContain('az-ca-');
  await running.stop();
  // A second worker takes over what runs.
  const second = startNative(job);
  await writeRandomly(servers.source, 2, 100);
  await drained(job, second);
  await second.stop();
  await detach(job, signal);
  expect(await replicaStatus(servers.target)).toBeUndefined();
  const third = startNative(job);
  await writeRandomly(servers.source, 3, 100);
  await drained(job, third);
  await third.stop();
  expect(await differences(migration)).toEqual({});
  expect(await end(job, signal)).toHaveLength(2);
  expect(await replicaStatus(servers.target)).toBeUndefined();
});
