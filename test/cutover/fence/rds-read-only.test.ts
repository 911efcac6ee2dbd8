import type { DBInstance } from '@aws-sdk/client-rds';
import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  DescribeDBInstancesCommand,
  DescribeDBParametersCommand,
  ModifyDBInstanceCommand,
  ModifyDBParameterGroupCommand,
  RDSClient,
  RebootDBInstanceCommand,
} from '@aws-sdk/client-rds';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import { createFence } from '../../../src/cutover/fence/create-fence.ts';
import type { Fence, FenceContext, FenceKind } from '../../../src/cutover/fence/fence.ts';
import { isFailure } from '../../../src/failures.ts';
import { openConnection, withConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { useNameServers } from '../../../src/mysql/name-resolution.ts';
import { sandboxUsers } from '../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';

const REGION = 'eu-central-1';
const GROUP = 'skyferry-shop';
const signal = AbortSignal.timeout(300_000);
const within = { lockWaitMs: 20_000, signal };

let clouds: TestClouds;
let administrator: RDSClient;
let admin: Endpoint;
let app: Endpoint;
let context: FenceContext;

beforeAll(async () => {
  clouds = await startClouds();
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
  administrator = new RDSClient({
    endpoint: clouds.url,
    region: REGION,
    credentials: sandboxUsers.administrator,
    requestHandler: { httpsAgent: { ca: clouds.ca } },
  });
  const { Endpoint: endpoint } = await create('shop');
  admin = {
    host: endpoint?.Address ?? '',
    port: endpoint?.Port ?? 0,
    user: 'admin',
    password: 'Correct-Horse-9',
    tls: { mode: 'verify-identity', ca: clouds.ca },
  };
  app = { ...admin, user: 'app' };
  await withConnection(admin, {}, async (connection) => {
    for (const sql of [
      'CREATE TABLE shop.t (id int PRIMARY KEY AUTO_INCREMENT)',
      "CREATE USER app@'%' IDENTIFIED BY 'Correct-Horse-9'",
      "GRANT INSERT, DELETE ON shop.* TO app@'%'",
    ])
      await connection.query(sql);
  });
  const aws = createAwsClients({ env: clouds.env, ca: clouds.ca });
  context = {
    account: admin,
    source: admin,
    schemas: ['shop'],
    applicationAccounts: [{ user: 'app', host: '%', login: app }],
    rds: { instance: 'shop', client: () => aws.rds(REGION) },
  };
}, 120_000);

afterAll(async () => {
  useNameServers(undefined);
  await clouds.stop();
});

async function create(id: string): Promise<DBInstance> {
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
      BackupRetentionPeriod: 7,
    }),
  );
  return await available(id);
}

async function available(id: string): Promise<DBInstance> {
  for (;;) {
    const { DBInstances: [instance] = [] } = await administrator.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }),
    );
    if (instance?.DBInstanceStatus === 'available') return instance;
    await sleep(50);
  }
}

async function attach(id: string, group: string): Promise<void> {
  await administrator.send(
    new ModifyDBInstanceCommand({
      DBInstanceIdentifier: id,
      DBParameterGroupName: group,
      ApplyImmediately: true,
    }),
  );
  await sleep(300);
  await available(id);
}

async function inSync(): Promise<void> {
  while ((await available('shop')).DBParameterGroups?.[0]?.ParameterApplyStatus !== 'in-sync')
    await sleep(50);
}

async function parameter(): Promise<string | undefined> {
  const { Parameters = [] } = await administrator.send(
    new DescribeDBParametersCommand({ DBParameterGroupName: GROUP }),
  );
  return Parameters.find(({ ParameterName }) => ParameterName === 'read_only')?.ParameterValue;
}

async function insert(): Promise<number | string> {
  return await withConnection(app, {}, (connection) =>
    connection.query('INSERT INTO shop.t VALUES ()'),
  ).then(
    () => 'done',
    (error: unknown) => (isFailure(error) ? (error.detail.errno ?? error.code) : String(error)),
  );
}

const fence = (kind: FenceKind): Fence => createFence(kind, context);

test('a group that is the default one, not in effect, or shared is refused by name', async () => {
  expect((await fence('rds-read-only').read(signal)).foreign?.found).toContain('default');
  await administrator.send(
    new CreateDBParameterGroupCommand({
      DBParameterGroupName: GROUP,
      DBParameterGroupFamily: 'mysql8.0',
      Description: 'of its own',
    }),
  );
  await attach('shop', GROUP);
  expect((await fence('rds-read-only').read(signal)).foreign?.found).toContain('not in effect');
  await administrator.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' }));
  await sleep(300);
  await available('shop');
  expect((await fence('rds-read-only').read(signal)).foreign).toBeUndefined();
  await create('neighbour');
  await attach('neighbour', GROUP);
  expect((await fence('rds-read-only').read(signal)).foreign?.found).toContain('neighbour');
  await attach('neighbour', 'default.mysql8.0');
}, 120_000);

test('the parameter arrives, is proved by refused writes, and goes back to what it was', async () => {
  await administrator.send(
    new ModifyDBParameterGroupCommand({
      DBParameterGroupName: GROUP,
      Parameters: [{ ParameterName: 'read_only', ParameterValue: '0', ApplyMethod: 'immediate' }],
    }),
  );
  await inSync();
  const readOnly = fence('rds-read-only');
  const former = await readOnly.read(signal);
  expect(former).toEqual({ kind: 'rds-read-only', group: GROUP, value: '0' });
  await using open = await openConnection(app);
  await open.query('BEGIN');
  await open.query('INSERT INTO shop.t VALUES ()');
  await expect(readOnly.prove(signal)).rejects.toMatchObject({ code: 'NOT_QUIESCENT' });
  await readOnly.raise(former, within);
  expect(await readOnly.isRaised(signal)).toBe(true);
  expect(await insert()).toBe(1290);
  await expect(open.query('COMMIT')).rejects.toMatchObject({ detail: { errno: 1290 } });
  expect((await readOnly.prove(signal)).accounts).toEqual([
    { account: 'app@%', by: 'a write that was refused (1290)' },
  ]);
  expect((await readOnly.read(signal)).foreign?.found).toContain('already');
  await fence('rds-read-only').lower(former);
  await fence('rds-read-only').lower(former);
  expect(await parameter()).toBe('0');
  expect(await insert()).toBe('done');
}, 120_000);

test('locked first and read-only then, undone in reverse, also by another process after a kill between', async () => {
  await withConnection(admin, {}, (c) =>
    c.query('CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.t WHERE FALSE'),
  );
  await inSync();
  const both = fence('account-lock+rds-read-only');
  const former = await both.read(signal);
  expect(former.foreign).toBeUndefined();
  await using session = await openConnection(app);
  await both.raise(former, within);
  await both.raise(former, within);
  expect(await both.isRaised(signal)).toBe(true);
  expect(await insert()).toBe(3118);
  await expect(session.query('SELECT 1')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect((await both.prove(signal)).accounts).toEqual([
    { account: 'app@%', by: 'a login that was refused (3118)' },
  ]);
  await fence('account-lock+rds-read-only').lower(former);
  expect(await insert()).toBe('done');

  // Killed after the lock, and while the parameter was on its way.
  const abort = new AbortController();
  const raising = both.raise(former, { lockWaitMs: 20_000, signal: abort.signal });
  while ((await parameter()) !== '1') await sleep(20);
  abort.abort(new Error('killed'));
  await expect(raising).rejects.toThrow('killed');
  await fence('account-lock+rds-read-only').lower(former);
  expect(await parameter()).toBe('0');
  expect(await insert()).toBe('done');
}, 120_000);

test('a lock of accounts alone stops the event scheduler first, and starts it again', async () => {
  await inSync();
  const lock = fence('account-lock');
  const former = await lock.read(signal);
  expect(former).toMatchObject({ kind: 'account-lock', events: { group: GROUP } });
  expect(former.foreign).toBeUndefined();
  const scheduler = async () =>
    await withConnection(admin, {}, async (connection) => {
      const [row] = await connection.query('SELECT @@GLOBAL.event_scheduler AS e');
      return row?.['e'];
    });
  await lock.approach?.(former, { signal });
  expect(await scheduler()).toBe('OFF');
  expect(await insert()).toBe('done');
  await lock.raise(former, within);
  expect(await lock.isRaised(signal)).toBe(true);
  expect(await insert()).toBe(3118);
  expect(lock.unfenceCommand(former)).toContain('ParameterName=event_scheduler,ParameterValue=ON');
  // By another process, and once more.
  await fence('account-lock').lower(former);
  await fence('account-lock').lower(former);
  expect(await scheduler()).toBe('ON');
  expect(await insert()).toBe('done');
}, 60_000);

test('a parameter that does not arrive in time is put back, and throttling is waited out', async () => {
  await withConnection(admin, {}, (c) => c.query('DROP EVENT IF EXISTS shop.e'));
  await inSync();
  const readOnly = fence('rds-read-only');
  const former = await readOnly.read(signal);
  expect(former).toEqual({ kind: 'rds-read-only', group: GROUP, value: '0' });
  await expect(readOnly.raise(former, { lockWaitMs: 1, signal })).rejects.toMatchObject({
    code: 'NOT_QUIESCENT',
  });
  await clouds.faults([
    { match: { service: 'rds', operation: 'ModifyDBParameterGroup' }, times: 2, kind: 'throttle' },
  ]);
  await readOnly.lower(former);
  expect(await parameter()).toBe('0');
  await sleep(1000);
  expect(await insert()).toBe('done');
}, 60_000);
