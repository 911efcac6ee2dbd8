import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAzureClients } from '../../../../src/clouds/azure/clients.ts';
import { DataMigrationService } from '../../../../src/clouds/azure/data-migration/service.ts';
import type { TaskRequest } from '../../../../src/clouds/azure/data-migration/task-request.ts';
import type { TaskView } from '../../../../src/clouds/azure/data-migration/task-view.ts';
import { sandboxPrincipal } from '../../../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';
import { group, password, wanted } from '../../../sandbox/clouds/azure/lab.ts';
import {
  copyTables,
  createServers,
  service as put,
  superuser,
} from '../../../sandbox/clouds/azure/migration-lab.ts';
import { withConnection } from '../../../../src/mysql/connection.ts';

const signal = AbortSignal.timeout(90_000);
const [FROM, TO] = ['orders-from', 'orders-to'];
const PROJECT = 'orders';
let clouds: TestClouds;
let dms: DataMigrationService;

/** As a worker has it that was just started. */
async function open(service: string, env = clouds.env): Promise<DataMigrationService> {
  const clients = createAzureClients({ env, ca: clouds.ca });
  const client = await clients.dataMigration(sandboxPrincipal.subscription);
  return new DataMigrationService({ client, resourceGroup: group, service });
}

beforeAll(async () => {
  clouds = await startClouds();
  await createServers(clouds, [FROM, TO]);
  const source = await superuser(clouds, FROM);
  await withConnection(source, {}, async (connection) => {
    await connection.execute('CREATE DATABASE shop');
    await connection.execute('CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(20))');
    await connection.execute("INSERT INTO shop.item VALUES (1, 'one'), (2, 'two')");
  });
  await copyTables(source, await superuser(clouds, TO), ['shop']);
  dms = await open('skyferry-orders');
}, 60_000);
afterAll(() => clouds.stop());

const info = (server: string, encryptConnection = true) => ({
  type: 'MySqlConnectionInfo' as const,
  serverName: `${server}.mysql.database.azure.com`,
  port: 3306,
  userName: wanted.administratorLogin,
  password,
  encryptConnection,
});
const connect = (encryptConnection: boolean): TaskRequest => ({
  taskType: 'ConnectToSource.MySql',
  input: {
    sourceConnectionInfo: info(FROM, encryptConnection),
    targetPlatform: 'AzureDbForMySQL',
    checkPermissionsGroup: 'MigrationFromMySQLToAzureDBForMySQL',
    isOfflineMigration: false,
  },
});
const sync: TaskRequest = {
  taskType: 'Migrate.MySql.AzureDbForMySql.Sync',
  input: {
    sourceConnectionInfo: info(FROM),
    targetConnectionInfo: info(TO),
    selectedDatabases: [{ name: 'shop', targetDatabaseName: 'shop' }],
  },
};

async function taskUntil(task: string, isThere: (view: TaskView) => boolean): Promise<TaskView> {
  for (;;) {
    const view = await dms.findTask(PROJECT, task, signal);
    if (view !== null && isThere(view)) return view;
    await delay(50, undefined, { signal });
  }
}

async function stateUntil(state: string | undefined): Promise<void> {
  while ((await dms.find(signal))?.state !== state) await delay(100, undefined, { signal });
}

test('the service of the tier that follows changes; its project; once, however often it is asked for', async () => {
  expect(await dms.find(signal)).toBeNull();
  await dms.create(
    {
      location: put.location,
      subnet: put.properties.virtualSubnetId,
      tags: { 'skyferry-migration': 'orders' },
    },
    signal,
  );
  await stateUntil('Succeeded');
  expect(await dms.find(signal)).toMatchObject({
    sku: 'Premium_4vCores',
    tier: 'Premium',
    location: put.location,
    subnet: put.properties.virtualSubnetId,
    tags: { 'skyferry-migration': 'orders' },
  });
  expect(await dms.hasProject(PROJECT, signal)).toBe(false);
  await dms.createProject(PROJECT, put.location, signal);
  await dms.createProject(PROJECT, put.location, signal);
  expect(await dms.hasProject(PROJECT, signal)).toBe(true);
});

test('whether a connection is encrypted arrives, though the SDK knows nothing of it', async () => {
  const source = await superuser(clouds, FROM);
  await withConnection(source, {}, (c) => c.execute('SET GLOBAL require_secure_transport = ON'));
  await dms.startTask(PROJECT, 'plain', connect(false), signal);
  await dms.startTask(PROJECT, 'encrypted', connect(true), signal);
  const plain = await taskUntil('plain', ({ end }) => end !== null);
  expect(plain.end).toBe('failed');
  expect(await taskUntil('encrypted', ({ end }) => end !== null)).toMatchObject({
    state: 'Succeeded',
    problems: [],
    unknown: [],
  });
});

test('a refusal that quotes what it refuses is shown without its passwords', async () => {
  // It quotes the task's name, which is the password here.
  const quoted = { ...info(FROM), password: 'plain' };
  const body = { ...sync, input: { ...sync.input, targetConnectionInfo: quoted } };
  await expect(dms.startTask(PROJECT, 'plain', body, signal)).rejects.toMatchObject({
    message: expect.stringContaining("The task '…' already exists") as string,
  });
});

test('what a connection’s test misses, with its code', async () => {
  const source = await superuser(clouds, FROM);
  await withConnection(source, {}, async (connection) => {
    await connection.execute("CREATE USER reader IDENTIFIED BY 'Reader-1'");
  });
  const request = connect(true);
  const body = {
    ...request,
    input: {
      ...request.input,
      sourceConnectionInfo: { ...info(FROM), userName: 'reader', password: 'Reader-1' },
    },
  } as TaskRequest;
  await dms.startTask(PROJECT, 'reader', body, signal);
  const { end, problems } = await taskUntil('reader', (view) => view.end !== null);
  expect(end).toBe('succeeded');
  expect(problems).toContainEqual({
    code: 'MissingPrivilege',
    message: 'The account lacks the privilege REPLICATION SLAVE.',
  });
});

test('a migration from its start to the completion of its database', async () => {
  await dms.startTask(PROJECT, 'sync-1', sync, signal);
  const again = await dms.startTask(PROJECT, 'sync-1', sync, signal);
  expect(again.end).toBeNull();
  const source = await superuser(clouds, FROM);
  await taskUntil('sync-1', (view) => view.sync?.databases[0]?.loaded === true);
  await withConnection(source, {}, (c) => c.execute("INSERT INTO shop.item VALUES (3, 'three')"));
  const view = await taskUntil('sync-1', ({ sync: now }) => now?.databases[0]?.applied === 1);
  expect(view).toMatchObject({
    state: 'Running',
    end: null,
    unknown: [],
    sync: {
      databases: [{ name: 'shop', inserts: 1, updates: 0, tables: { completed: 1, loading: 0 } }],
      tables: [{ database: 'shop', table: 'item', state: 'COMPLETED', rows: 2, dataErrors: 0 }],
      errors: [],
    },
  });
  expect(await dms.completeDatabase(PROJECT, 'sync-1', 'shop', signal)).toBe('Accepted');
  const done = await taskUntil('sync-1', ({ end }) => end !== null);
  expect(done).toMatchObject({
    state: 'Succeeded',
    commands: [{ database: 'shop', state: 'Succeeded' }],
    sync: { databases: [{ state: 'COMPLETE' }] },
  });
});

test('a cancelled task ends; what is not there is null, and fine to remove', async () => {
  await dms.startTask(PROJECT, 'sync-2', sync, signal);
  await dms.cancelTask(PROJECT, 'sync-2', signal);
  expect(await taskUntil('sync-2', ({ end }) => end !== null)).toMatchObject({
    state: 'Canceled',
    end: 'failed',
  });
  expect(await dms.findTask(PROJECT, 'sync-3', signal)).toBeNull();
  const other = await open('nothing');
  expect(await other.find(signal)).toBeNull();
  expect(await other.hasProject(PROJECT, signal)).toBe(false);
  await other.removeProject(PROJECT, signal);
  await other.remove(signal);
});

test('failures by their codes, raw requests too', async () => {
  await clouds.faults([{ match: { operation: 'Tasks_Get' }, kind: 'throttle' }]);
  await expect(dms.findTask(PROJECT, 'sync-1', signal)).rejects.toMatchObject({
    code: 'CLOUD_BUSY',
    message: expect.stringContaining('TooManyRequests') as string,
  });
  await clouds.faults([{ match: { operation: 'Tasks_Get' }, kind: 'drop-before' }]);
  await expect(dms.findTask(PROJECT, 'sync-1', signal)).rejects.toMatchObject({
    code: 'CLOUD_BUSY',
  });
  await clouds.faults([{ match: { operation: 'Services_Get' }, kind: 'refuse', status: 403, code: 'AuthorizationFailed' }]); // prettier-ignore
  await expect(dms.find(signal)).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
});

test('a service that goes, slowly, with what runs in it', async () => {
  await dms.startTask(PROJECT, 'sync-4', sync, signal);
  await dms.remove(signal);
  expect((await dms.find(signal))?.state).toBe('Deleting');
  await stateUntil(undefined);
});
