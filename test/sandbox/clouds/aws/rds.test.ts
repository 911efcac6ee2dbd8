import type { DBInstance, Parameter } from '@aws-sdk/client-rds';
import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  CopyDBParameterGroupCommand,
  DeleteDBInstanceCommand,
  DeleteDBParameterGroupCommand,
  DescribeDBInstancesCommand,
  DescribeDBParametersCommand,
  ModifyDBInstanceCommand,
  ModifyDBParameterGroupCommand,
  paginateDescribeDBParameters,
  RDSClient,
  RebootDBInstanceCommand,
  ResetDBParameterGroupCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection, withConnection } from '../../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../../src/mysql/endpoint.ts';
import { useNameServers } from '../../../../src/mysql/name-resolution.ts';
import { sandboxUsers } from '../../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';

let clouds: TestClouds;
let administrator: RDSClient;
let skyferry: RDSClient;

function client(credentials: { accessKeyId: string; secretAccessKey: string }): RDSClient {
  return new RDSClient({
    endpoint: clouds.url,
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
    requestHandler: { httpsAgent: { ca: clouds.ca } },
  });
}

beforeAll(async () => {
  clouds = await startClouds();
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
  administrator = client(sandboxUsers.administrator);
  skyferry = client(sandboxUsers.skyferry);
});
afterAll(async () => {
  useNameServers(undefined);
  await clouds.stop();
});

async function create(
  id: string,
  others: { BackupRetentionPeriod?: number } = {},
): Promise<DBInstance> {
  await administrator.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: id,
      DBInstanceClass: 'db.m6g.large',
      Engine: 'mysql',
      EngineVersion: '8.0.42',
      MasterUsername: 'admin',
      MasterUserPassword: 'Correct-Horse-9',
      AllocatedStorage: 100,
      DBName: 'shop',
      ...others,
    }),
  );
  return await settled(id);
}

async function describe(id: string): Promise<DBInstance> {
  const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: id });
  const { DBInstances } = await administrator.send(command);
  return DBInstances?.[0] ?? {};
}

/** All states on the way to `available`, which it ends with. */
async function statesUntilAvailable(id: string): Promise<string[]> {
  const states: string[] = [];
  for (;;) {
    const { DBInstanceStatus: status = '' } = await describe(id);
    if (states.at(-1) !== status) states.push(status);
    if (status === 'available') return states;
    if (status === 'failed') throw new Error(`${id} failed after ${states.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function settled(id: string): Promise<DBInstance> {
  await statesUntilAvailable(id);
  return await describe(id);
}

async function until(what: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error('not within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function login({ Endpoint: endpoint }: DBInstance): Endpoint {
  return {
    host: endpoint?.Address ?? '',
    port: endpoint?.Port ?? 0,
    user: 'admin',
    password: 'Correct-Horse-9',
    tls: { mode: 'verify-identity', ca: clouds.ca },
  };
}

async function globals(instance: DBInstance, names: string[]): Promise<string[]> {
  return await withConnection(login(instance), {}, async (connection) => {
    const [row = {}] = await connection.query(
      `SELECT ${names.map((name) => `@@GLOBAL.${name} AS ${name}`).join(', ')}`,
    );
    return names.map((name) => String(row[name]));
  });
}

function parameter(name: string, value: string, method: Parameter['ApplyMethod']): Parameter {
  return { ParameterName: name, ParameterValue: value, ApplyMethod: method };
}

function applyStatus({ DBParameterGroups: groups }: DBInstance): (string | undefined)[] {
  return [groups?.[0]?.DBParameterGroupName, groups?.[0]?.ParameterApplyStatus];
}

async function ownGroup(name: string): Promise<void> {
  await skyferry.send(
    new CreateDBParameterGroupCommand({
      DBParameterGroupName: name,
      DBParameterGroupFamily: 'mysql8.0',
      Description: 'a test',
      Tags: [{ Key: 'skyferry', Value: 'x' }],
    }),
  );
}

function modify(group: string, ...Parameters: Parameter[]): Promise<unknown> {
  return skyferry.send(
    new ModifyDBParameterGroupCommand({ DBParameterGroupName: group, Parameters }),
  );
}

test("an instance is a real server, whose master user has RDS's rights and whose defaults are RDS's", async () => {
  const created = await create('Shop');
  expect(created).toMatchObject({
    DBInstanceIdentifier: 'shop',
    DBInstanceArn: 'arn:aws:rds:eu-central-1:123456789012:db:shop',
    EngineVersion: '8.0.42',
    BackupRetentionPeriod: 1,
    AllocatedStorage: 100,
    MultiAZ: false,
    DBParameterGroups: [
      { DBParameterGroupName: 'default.mysql8.0', ParameterApplyStatus: 'in-sync' },
    ],
    PendingModifiedValues: {},
  });
  expect(created.InstanceCreateTime).toBeInstanceOf(Date);
  expect(created.Endpoint?.Address).toMatch(
    /^shop\.c[0-9a-f]{11}\.eu-central-1\.rds\.amazonaws\.com$/,
  );
  expect(await globals(created, ['gtid_mode', 'binlog_format', 'log_bin', 'read_only'])).toEqual([
    'OFF_PERMISSIVE',
    'MIXED',
    '1',
    '0',
  ]);
  await withConnection(login(created), { database: 'shop' }, async (connection) => {
    await expect(connection.query('SET GLOBAL max_connections = 10')).rejects.toThrow();
    await expect(connection.query('FLUSH TABLES WITH READ LOCK')).rejects.toThrow();
    await connection.query("CREATE USER copier IDENTIFIED BY 'Another-Horse-9'");
    await connection.query('GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO copier');
    await connection.query("CALL mysql.rds_set_configuration('binlog retention hours', 48)");
    const [rows] = await connection.query('CALL mysql.rds_show_configuration()');
    expect(JSON.stringify(rows)).toContain('"48"');
    // Another user's session, which the master user may not end by KILL.
    await using victim = await openConnection({
      ...login(created),
      user: 'copier',
      password: 'Another-Horse-9',
    });
    await expect(connection.query(`KILL ${victim.threadId}`)).rejects.toThrow();
    await connection.query(`CALL mysql.rds_kill(${victim.threadId})`);
    await expect(victim.query('SELECT 1')).rejects.toThrow();
  });
});

test('a group is copied, changed and attached; what is static or newly attached waits for a reboot', async () => {
  await expect(
    administrator.send(
      new ModifyDBParameterGroupCommand({
        DBParameterGroupName: 'default.mysql8.0',
        Parameters: [parameter('binlog_format', 'ROW', 'immediate')],
      }),
    ),
  ).rejects.toMatchObject({
    name: 'InvalidDBParameterGroupStateFault',
  });
  await skyferry.send(
    new CopyDBParameterGroupCommand({
      SourceDBParameterGroupIdentifier: 'default.mysql8.0',
      TargetDBParameterGroupIdentifier: 'skyferry-shop',
      TargetDBParameterGroupDescription: 'for CDC',
    }),
  );
  await expect(
    modify('skyferry-shop', parameter('gtid-mode', 'ON', 'pending-reboot')),
  ).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(
    modify('skyferry-shop', parameter('enforce_gtid_consistency', 'ON', 'immediate')),
  ).rejects.toMatchObject({ name: 'InvalidParameterCombination' });
  await modify(
    'skyferry-shop',
    parameter('binlog_format', 'ROW', 'immediate'),
    parameter('enforce_gtid_consistency', 'ON', 'pending-reboot'),
    parameter('gtid-mode', 'ON_PERMISSIVE', 'pending-reboot'),
  );
  await skyferry.send(
    new ModifyDBInstanceCommand({
      DBInstanceIdentifier: 'shop',
      DBParameterGroupName: 'skyferry-shop',
    }),
  );
  let shop = await settled('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'pending-reboot']);
  const variables = ['binlog_format', 'gtid_mode', 'enforce_gtid_consistency'];
  expect(await globals(shop, variables)).toEqual(['MIXED', 'OFF_PERMISSIVE', 'OFF']);

  await skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' }));
  await expect(
    skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' })),
  ).rejects.toMatchObject({ name: 'InvalidDBInstanceStateFault' });
  expect(await statesUntilAvailable('shop')).toEqual(['rebooting', 'available']);
  shop = await describe('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'in-sync']);
  expect(await globals(shop, variables)).toEqual(['ROW', 'ON_PERMISSIVE', 'ON']);

  // Attached and in force: dynamic parameters reach the server by themselves.
  await modify('skyferry-shop', parameter('read_only', '1', 'immediate'));
  await until(async () => (await globals(shop, ['read_only']))[0] === '1');
  await skyferry.send(
    new ResetDBParameterGroupCommand({
      DBParameterGroupName: 'skyferry-shop',
      Parameters: [{ ParameterName: 'read_only', ApplyMethod: 'immediate' }],
    }),
  );
  await until(async () => (await globals(shop, ['read_only']))[0] === '0');
  await expect(
    skyferry.send(new DeleteDBParameterGroupCommand({ DBParameterGroupName: 'skyferry-shop' })),
  ).rejects.toMatchObject({ name: 'InvalidDBParameterGroupStateFault' });
});

test('a GTID mode that is two steps away is not taken by a reboot', async () => {
  await modify('skyferry-shop', parameter('gtid-mode', 'OFF', 'pending-reboot'));
  await skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' }));
  const shop = await settled('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'pending-reboot']);
  expect(await globals(shop, ['gtid_mode'])).toEqual(['ON_PERMISSIVE']);
  await modify('skyferry-shop', parameter('gtid-mode', 'ON_PERMISSIVE', 'pending-reboot'));
});

test('changes are queued until somebody applies at once, then all of them are', async () => {
  await create('idle', { BackupRetentionPeriod: 0 });
  const idle = await describe('idle');
  expect(await globals(idle, ['log_bin'])).toEqual(['0']);
  await skyferry.send(
    new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'idle', DBInstanceClass: 'db.m6g.xlarge' }),
  );
  expect(await describe('idle')).toMatchObject({
    DBInstanceStatus: 'available',
    DBInstanceClass: 'db.m6g.large',
    PendingModifiedValues: { DBInstanceClass: 'db.m6g.xlarge' },
  });
  await skyferry.send(
    new ModifyDBInstanceCommand({
      DBInstanceIdentifier: 'idle',
      BackupRetentionPeriod: 7,
      ApplyImmediately: true,
    }),
  );
  expect(await statesUntilAvailable('idle')).toEqual(['modifying', 'backing-up', 'available']);
  const changed = await describe('idle');
  expect(changed).toMatchObject({
    DBInstanceClass: 'db.m6g.xlarge',
    BackupRetentionPeriod: 7,
    PendingModifiedValues: {},
  });
  expect(await globals(changed, ['log_bin'])).toEqual(['1']);
});

test('a killed control plane takes up what was under way, and what was set dynamically stays set', async () => {
  await modify('skyferry-shop', parameter('binlog_row_image', 'minimal', 'immediate'));
  await until(
    async () => (await globals(await describe('shop'), ['binlog_row_image']))[0] === 'MINIMAL',
  );
  await skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'idle' }));
  await clouds.kill();
  await clouds.restart();
  expect((await statesUntilAvailable('idle')).at(-1)).toBe('available');
  const shop = await describe('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'in-sync']);
  expect(await globals(shop, ['binlog_row_image'])).toEqual(['MINIMAL']);
});

test('parameters come in pages, by source, by name', async () => {
  const names: string[] = [];
  let pages = 0;
  for await (const page of paginateDescribeDBParameters(
    { client: skyferry, pageSize: 20 },
    { DBParameterGroupName: 'default.mysql8.0' },
  )) {
    pages++;
    names.push(...(page.Parameters ?? []).map(({ ParameterName }) => ParameterName ?? ''));
  }
  expect(pages).toBeGreaterThan(2);
  expect(new Set(names).size).toBe(names.length);
  const { Parameters: own } = await skyferry.send(
    new DescribeDBParametersCommand({ DBParameterGroupName: 'skyferry-shop', Source: 'user' }),
  );
  expect(own).toContainEqual({
    ParameterName: 'gtid-mode',
    ParameterValue: 'ON_PERMISSIVE',
    Source: 'user',
    ApplyType: 'static',
    DataType: 'string',
    AllowedValues: 'OFF,OFF_PERMISSIVE,ON_PERMISSIVE,ON',
    IsModifiable: true,
    ApplyMethod: 'pending-reboot',
  });
});

test('what the policy does not grant is denied, by resource too', async () => {
  await expect(
    skyferry.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop' })),
  ).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  await expect(ownGroup('production')).rejects.toMatchObject({ name: 'AccessDenied' });
  await ownGroup('skyferry-other');
  await skyferry.send(
    new DeleteDBParameterGroupCommand({ DBParameterGroupName: 'skyferry-other' }),
  );
});

test('faults have the codes of RDS, and the unmodified client sends again after throttling', async () => {
  const match = { service: 'rds', operation: 'DescribeDBInstances' };
  for (const [kind, name] of [
    ['throttle', 'Throttling'],
    ['expired', 'ExpiredToken'],
    ['server-error', 'InternalFailure'],
    ['conflict', 'InvalidDBInstanceStateFault'],
  ] as const) {
    await clouds.faults([{ match, kind }]);
    await expect(describe('shop')).rejects.toMatchObject({ name });
  }
  await clouds.faults([{ match, kind: 'throttle', times: 2 }]);
  const patient = new RDSClient({
    endpoint: clouds.url,
    region: 'eu-central-1',
    credentials: sandboxUsers.skyferry,
    requestHandler: { httpsAgent: { ca: clouds.ca } },
  });
  const { DBInstances } = await patient.send(new DescribeDBInstancesCommand({}));
  expect(DBInstances).toHaveLength(2);
});

test('members that the API does not have, or that are missing, are refused', async () => {
  // The client sends what its schema knows: a middleware changes the form before it is signed.
  const ask = async (change: (form: string) => string) => {
    const raw = client(sandboxUsers.administrator);
    raw.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string; headers: Record<string, string> };
        request.body = change(request.body);
        request.headers['content-length'] = String(Buffer.byteLength(request.body));
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    return await raw.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'shop' })).then(
      () => 'accepted',
      (error: unknown) => (error as Error).name,
    );
  };
  expect(await ask((form) => form)).toBe('accepted');
  expect(await ask((form) => `${form}&InstanceName=shop`)).toBe('InvalidQueryParameter');
  expect(await ask((form) => form.replace('2014-10-31', '2012-01-01'))).toBe('InvalidAction');
  expect(await ask((form) => `${form}&MaxRecords=many`)).toBe('MalformedInput');
  expect(
    await ask((form) =>
      form
        .replace('DescribeDBInstances', 'RebootDBInstance')
        .replace(/&DBInstanceIdentifier=shop/, ''),
    ),
  ).toBe('MissingParameter');
  const unsigned = await clouds.fetch('/', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=DescribeDBInstances&Version=2014-10-31',
  });
  expect(unsigned.status).toBe(403);
  expect(unsigned.body).toContain('<Code>MissingAuthenticationToken</Code>');
});
