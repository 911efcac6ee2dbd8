import type { MySQLManagementFlexibleServerClient } from '@azure/arm-mysql-flexible';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../../../src/mysql/connection.ts';
import { sandboxAdministrator } from '../../../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';
import { startMysql } from '../../../servers.ts';
import { connect, group, password, query, wanted } from './lab.ts';

const name = 'shop-orders';

let clouds: TestClouds;
let client: MySQLManagementFlexibleServerClient;

beforeAll(async () => {
  clouds = await startClouds();
  client = connect(clouds, sandboxAdministrator);
  await client.servers.beginCreateAndWait(group, name, wanted);
});
afterAll(() => clouds.stop());

async function startedAt(): Promise<string> {
  const [row] = await query<{ Value: string }>(clouds, name, "SHOW STATUS LIKE 'Uptime'");
  return String(Math.round(Date.now() / 1000) - Number(row?.Value));
}

describe('a server', () => {
  test('is a real one: lower-case names, its administrator has no SUPER, its password is not shown', async () => {
    const server = await client.servers.get(group, name);
    expect(server).toMatchObject({
      state: 'Ready',
      tags: { skyferry: 'orders' },
      fullyQualifiedDomainName: `${name}.mysql.database.azure.com`,
    });
    expect(JSON.stringify(server)).not.toContain(password);
    const [row] = await query<{ lower: string }>(
      clouds,
      name,
      'SELECT @@lower_case_table_names AS lower',
    );
    expect(Number(row?.lower)).toBe(1);
    await expect(query(clouds, name, 'SET GLOBAL max_connections = 50')).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
  });

  test('restarts with another size of compute, meanwhile takes no other change, and keeps its data', async () => {
    await query(clouds, name, 'CREATE DATABASE kept');
    const before = await query<{ size: string }>(
      clouds,
      name,
      'SELECT @@innodb_buffer_pool_size AS size',
    );
    const resize = await client.servers.beginUpdate(group, name, {
      sku: { name: 'Standard_D16ds_v4', tier: 'GeneralPurpose' },
      storage: { iops: 12_000 },
    });
    await expect(
      client.servers.beginUpdate(group, name, { tags: { step: 'two' } }),
    ).rejects.toMatchObject({ statusCode: 409, code: 'ServerIsBusy' });
    const server = await resize.pollUntilDone();
    expect(server).toMatchObject({
      state: 'Ready',
      sku: { name: 'Standard_D16ds_v4' },
      storage: { iops: 12_000, storageSizeGB: 64 },
    });
    const after = await query<{ size: string }>(
      clouds,
      name,
      'SELECT @@innodb_buffer_pool_size AS size',
    );
    expect(Number(after[0]?.size)).toBeGreaterThan(Number(before[0]?.size));
    expect(await client.databases.get(group, name, 'kept')).toMatchObject({ name: 'kept' });
  });

  test('gets a standby, except zone-redundantly when it was created without', async () => {
    const poller = await client.servers.beginUpdate(group, name, {
      highAvailability: { mode: 'SameZone' },
    });
    const meanwhile = await client.servers.get(group, name);
    expect(['CreatingStandby', 'Healthy']).toContain(meanwhile.highAvailability?.state);
    await poller.pollUntilDone();
    const { highAvailability } = await client.servers.get(group, name);
    expect(highAvailability).toMatchObject({ mode: 'SameZone', state: 'Healthy' });
    await expect(
      client.servers.beginUpdate(group, name, { highAvailability: { mode: 'ZoneRedundant' } }),
    ).rejects.toMatchObject({ statusCode: 400, code: 'InvalidParameterValue' });
  });

  test('never has less storage, nor another region', async () => {
    await expect(
      client.servers.beginUpdate(group, name, { storage: { storageSizeGB: 32 } }),
    ).rejects.toMatchObject({ statusCode: 400, code: 'StorageSizeReductionNotSupported' });
    await expect(
      client.servers.beginCreate(group, name, { ...wanted, location: 'westeurope' }),
    ).rejects.toMatchObject({ statusCode: 400, code: 'PropertyChangeNotAllowed' });
  });
});

describe('parameters', () => {
  test('a dynamic one is set at once, a static one waits for the restart', async () => {
    await client.configurations.beginBatchUpdateAndWait(group, name, {
      value: [
        { name: 'sql_generate_invisible_primary_key', value: 'OFF', source: 'user-override' },
        { name: 'innodb_read_io_threads', value: '8', source: 'user-override' },
      ],
    });
    const pending: unknown[] = [];
    for await (const one of client.configurations.listByServer(group, name)) {
      if (one.isConfigPendingRestart === 'True') pending.push(one.name);
    }
    expect(pending).toEqual(['innodb_read_io_threads']);
    const read = () =>
      query<{ gipk: string; threads: string }>(
        clouds,
        name,
        'SELECT @@global.sql_generate_invisible_primary_key AS gipk, @@innodb_read_io_threads AS threads',
      );
    expect(Number((await read())[0]?.gipk)).toBe(0);
    expect(Number((await read())[0]?.threads)).not.toBe(8);
    const before = await startedAt();
    await client.servers.beginRestartAndWait(group, name, {});
    expect(await startedAt()).not.toBe(before);
    expect((await read()).map(({ gipk, threads }) => [Number(gipk), Number(threads)])).toEqual([
      [0, 8],
    ]);
    const after = await client.configurations.get(group, name, 'innodb_read_io_threads');
    expect(after).toMatchObject({ value: '8', isConfigPendingRestart: 'False' });
  });

  test('unknown names, impossible values and read-only ones are refused', async () => {
    const set = (parameter: string, value: string) =>
      client.configurations.beginUpdate(group, name, parameter, { value, source: 'user-override' });
    await expect(set('no_such_parameter', '1')).rejects.toMatchObject({
      code: 'InvalidParameterName',
    });
    await expect(set('binlog_row_image', 'SOME')).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
    await expect(set('lower_case_table_names', '2')).rejects.toMatchObject({
      code: 'ReadonlyParameter',
    });
  });
});

test('firewall rules and databases are made, listed and removed', async () => {
  const rule = { startIpAddress: '203.0.113.7', endIpAddress: '203.0.113.7' };
  await client.firewallRules.beginCreateOrUpdateAndWait(group, name, 'worker', rule);
  expect(await client.firewallRules.get(group, name, 'worker')).toMatchObject(rule);
  await client.firewallRules.beginDeleteAndWait(group, name, 'worker');
  await expect(client.firewallRules.get(group, name, 'worker')).rejects.toMatchObject({
    statusCode: 404,
  });
  await client.databases.beginCreateOrUpdateAndWait(group, name, 'shop', {
    charset: 'utf8mb4',
    collation: 'utf8mb4_bin',
  });
  const [row] = await query<{ c: string }>(
    clouds,
    name,
    "SELECT default_collation_name AS c FROM information_schema.schemata WHERE schema_name = 'shop'",
  );
  expect(row?.c).toBe('utf8mb4_bin');
});

test('GTIDs are off at first; they are turned on one step at a time, and never off again', async () => {
  const set = async (parameter: string, value: string) => {
    const { properties } = { properties: { value, source: 'user-override' } };
    const update = await client.configurations.beginUpdate(group, name, parameter, properties);
    await update.pollUntilDone();
  };
  const refused = { code: 'InvalidParameterValue' };
  await set('enforce_gtid_consistency', 'ON');
  await expect(set('gtid_mode', 'ON')).rejects.toMatchObject(refused);
  for (const mode of ['OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON']) await set('gtid_mode', mode);
  await expect(set('gtid_mode', 'ON_PERMISSIVE')).rejects.toMatchObject(refused);
});

test('Data-in replication is set up by the procedures alone', async () => {
  const source = await startMysql(['--server-id=7']);
  try {
    const { endpoint } = source;
    await withConnection(endpoint, {}, async (connection) => {
      await connection.query("CREATE USER feeder@'%' IDENTIFIED BY 'Feeder2Feeder' REQUIRE SSL");
      await connection.query("GRANT REPLICATION SLAVE ON *.* TO feeder@'%'");
      await connection.query('CREATE DATABASE fed');
    });
    const ca = endpoint.tls.mode === 'verify-identity' ? (endpoint.tls.ca ?? '') : '';
    const login = `'127.0.0.1', 'feeder', 'Feeder2Feeder', ${endpoint.port}`;
    await query(
      clouds,
      name,
      `CALL mysql.az_replication_change_master_with_gtid(${login}, '${ca}')`,
    );
    await query(clouds, name, 'CALL mysql.az_replication_start()');
    await expect
      .poll(() => query(clouds, name, "SHOW DATABASES LIKE 'fed'"), { timeout: 10_000 })
      .toHaveLength(1);
    await query(clouds, name, 'CALL mysql.az_replication_stop()');
    await query(clouds, name, 'CALL mysql.az_replication_remove_master()');
    expect(await query(clouds, name, 'SHOW REPLICA STATUS')).toEqual([]);
  } finally {
    await source.stop();
  }
});

describe('the control plane', () => {
  test('is killed in the middle of an operation: it goes on after the restart', async () => {
    const poller = await client.servers.beginUpdate(group, name, {
      sku: { name: 'Standard_D4ds_v4', tier: 'GeneralPurpose' },
    });
    const token = poller.toString();
    await clouds.kill();
    await clouds.restart();
    const resumed = await client.servers.beginUpdate(group, name, {}, { resumeFrom: token });
    await resumed.pollUntilDone();
    expect((await client.servers.get(group, name)).sku?.name).toBe('Standard_D4ds_v4');
    expect(await query(clouds, name, 'SELECT 1')).toHaveLength(1);
  });

  test('an operation that fails says why; the server is as it was', async () => {
    const code = 'ProvisionNotSupportedForRegion';
    await clouds.faults([{ match: { operation: 'Servers_Update' }, kind: 'fail-operation', code }]);
    const poller = await client.servers.beginUpdate(group, name, { tags: { step: 'three' } });
    await expect(poller.pollUntilDone()).rejects.toThrow(code);
    expect(await client.servers.get(group, name)).toMatchObject({
      state: 'Ready',
      tags: wanted.tags,
    });
  });

  test('a request that is lost and one whose answer is lost: the SDK asks again by itself', async () => {
    await clouds.faults([
      { match: { operation: 'Servers_Update' }, kind: 'drop-before' },
      { match: { operation: 'Servers_Update' }, kind: 'drop-after' },
    ]);
    await client.servers.beginUpdateAndWait(group, name, { tags: { step: 'four' } });
    expect((await client.servers.get(group, name)).tags).toEqual({ step: 'four' });
    const updates = (await clouds.requests()).filter((one) => one.operation === 'Servers_Update');
    expect(updates.slice(-3).map((one) => one.status)).toEqual([null, null, 202]);
  });

  test('throttles with Retry-After, which the SDK obeys', async () => {
    await clouds.faults([{ match: { operation: 'Servers_Get' }, kind: 'throttle' }]);
    const begun = Date.now();
    await client.servers.get(group, name);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(1000);
  });
});

describe('names', () => {
  test('of other customers are taken', async () => {
    const available = await client.checkNameAvailability.execute('germanywestcentral', {
      name: 'contoso',
    });
    expect(available).toMatchObject({ nameAvailable: false });
    await expect(client.servers.beginCreate(group, 'contoso', wanted)).rejects.toMatchObject({
      statusCode: 409,
      code: 'ServerNameAlreadyExists',
    });
  });

  test('are free again after the creation failed', async () => {
    const code = 'ProvisionNotSupportedForRegion';
    await clouds.faults([{ match: { operation: 'Servers_Create' }, kind: 'fail-operation', code }]);
    await expect(client.servers.beginCreateAndWait(group, 'shop-new', wanted)).rejects.toThrow(
      code,
    );
    await expect(client.servers.get(group, 'shop-new')).rejects.toMatchObject({ statusCode: 404 });
  });

  test('are free again after the server was removed', async () => {
    await client.servers.beginDeleteAndWait(group, name);
    await expect(client.servers.get(group, name)).rejects.toMatchObject({
      statusCode: 404,
      code: 'ResourceNotFound',
    });
    await expect(query(clouds, name, 'SELECT 1')).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
    expect(
      await client.checkNameAvailability.execute('germanywestcentral', { name }),
    ).toMatchObject({ nameAvailable: true });
  });
});
