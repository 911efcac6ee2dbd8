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
import { sandboxUsers } from '../../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../../clouds.ts';
import type { RdsScene } from './scene.ts';
import { openScene, PASSWORD } from './scene.ts';

let scene: RdsScene;
let clouds: TestClouds;
let administrator: RDSClient;
let skyferry: RDSClient;

beforeAll(async () => {
  scene = await openScene();
  ({ clouds, administrator, skyferry } = scene);
});
afterAll(() => scene.stop());

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
      MasterUserPassword: PASSWORD,
      AllocatedStorage: 100,
      DBName: 'shop',
      ...others,
    }),
  );
  return await scene.settled(id);
}

async function until(what: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error('not within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
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
  expect(
    await scene.globals(created, ['gtid_mode', 'binlog_format', 'log_bin', 'read_only']),
  ).toEqual(['OFF_PERMISSIVE', 'MIXED', '1', '0']);
  await withConnection(scene.login(created), { database: 'shop' }, async (connection) => {
    await expect(connection.query('SET GLOBAL max_connections = 10')).rejects.toThrow(
      /ACCESS_DENIED/,
    );
    await expect(connection.query('FLUSH TABLES WITH READ LOCK')).rejects.toThrow(/ACCESS_DENIED/);
    await connection.query("CREATE USER copier IDENTIFIED BY 'Another-Horse-9'");
    await connection.query('GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO copier');
    await connection.query("CALL mysql.rds_set_configuration('binlog retention hours', 48)");
    const [rows] = await connection.query('CALL mysql.rds_show_configuration()');
    expect(JSON.stringify(rows)).toContain('"48"');
    // Another user's session, which the master user may not end by KILL.
    await using victim = await openConnection({
      ...scene.login(created),
      user: 'copier',
      password: 'Another-Horse-9',
    });
    await expect(connection.query(`KILL ${victim.threadId}`)).rejects.toThrow(/KILL_DENIED/);
    await connection.query(`CALL mysql.rds_kill(${victim.threadId})`);
    await expect(victim.query('SELECT 1')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
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
  ).rejects.toMatchObject({ name: 'InvalidParameterValue' });
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
  let shop = await scene.settled('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'pending-reboot']);
  const variables = ['binlog_format', 'gtid_mode', 'enforce_gtid_consistency'];
  expect(await scene.globals(shop, variables)).toEqual(['MIXED', 'OFF_PERMISSIVE', 'OFF']);

  await skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' }));
  await expect(
    skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' })),
  ).rejects.toMatchObject({ name: 'InvalidDBInstanceStateFault' });
  expect(await scene.statesUntilAvailable('shop')).toEqual(['rebooting', 'available']);
  shop = await scene.describe('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'in-sync']);
  expect(await scene.globals(shop, variables)).toEqual(['ROW', 'ON_PERMISSIVE', 'ON']);

  // Attached and in force: dynamic parameters reach the server by themselves.
  await modify('skyferry-shop', parameter('read_only', '1', 'immediate'));
  await until(async () => (await scene.globals(shop, ['read_only']))[0] === '1');
  await administrator.send(
    new ResetDBParameterGroupCommand({
      DBParameterGroupName: 'skyferry-shop',
      Parameters: [{ ParameterName: 'read_only', ApplyMethod: 'immediate' }],
    }),
  );
  await until(async () => (await scene.globals(shop, ['read_only']))[0] === '0');
  await expect(
    skyferry.send(new DeleteDBParameterGroupCommand({ DBParameterGroupName: 'skyferry-shop' })),
  ).rejects.toMatchObject({ name: 'InvalidDBParameterGroupStateFault' });
});

test('a GTID mode that is two steps away is not taken by a reboot', async () => {
  await modify('skyferry-shop', parameter('gtid-mode', 'OFF', 'pending-reboot'));
  await skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' }));
  const shop = await scene.settled('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'pending-reboot']);
  expect(await scene.globals(shop, ['gtid_mode'])).toEqual(['ON_PERMISSIVE']);
  await modify('skyferry-shop', parameter('gtid-mode', 'ON_PERMISSIVE', 'pending-reboot'));
});

test('changes are queued until somebody applies at once, then all of them are', async () => {
  await create('idle', { BackupRetentionPeriod: 0 });
  const idle = await scene.describe('idle');
  expect(await scene.globals(idle, ['log_bin'])).toEqual(['0']);
  await skyferry.send(
    new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'idle', DBInstanceClass: 'db.m6g.xlarge' }),
  );
  expect(await scene.describe('idle')).toMatchObject({
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
  expect(await scene.statesUntilAvailable('idle')).toEqual([
    'modifying',
    'backing-up',
    'available',
  ]);
  const changed = await scene.describe('idle');
  expect(changed).toMatchObject({
    DBInstanceClass: 'db.m6g.xlarge',
    BackupRetentionPeriod: 7,
    PendingModifiedValues: {},
  });
  expect(await scene.globals(changed, ['log_bin'])).toEqual(['1']);
});

test('a killed control plane takes up what was under way, and what was set dynamically stays set', async () => {
  await modify('skyferry-shop', parameter('binlog_row_image', 'minimal', 'immediate'));
  await until(
    async () =>
      (await scene.globals(await scene.describe('shop'), ['binlog_row_image']))[0] === 'MINIMAL',
  );
  await skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'idle' }));
  await clouds.kill();
  await clouds.restart();
  expect((await scene.statesUntilAvailable('idle')).at(-1)).toBe('available');
  const shop = await scene.describe('shop');
  expect(applyStatus(shop)).toEqual(['skyferry-shop', 'in-sync']);
  expect(await scene.globals(shop, ['binlog_row_image'])).toEqual(['MINIMAL']);
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
    await expect(scene.describe('shop')).rejects.toMatchObject({ name });
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
    const raw = scene.client(sandboxUsers.administrator);
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
