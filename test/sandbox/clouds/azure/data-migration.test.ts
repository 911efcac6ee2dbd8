import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../../src/mysql/endpoint.ts';
import { createSampleDatabase } from '../../../../src/sandbox/sample/create-sample-database.ts';
import { sampleSchemas } from '../../../../src/sandbox/sample/schemas.ts';
import { parseWriterOptions } from '../../../../src/sandbox/writer/options.ts';
import { runWriter } from '../../../../src/sandbox/writer/run-writer.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';
import type { Result, Task } from './migration-lab.ts';
import {
  checksums,
  connectionInfo,
  copyTables,
  createServers,
  MigrationApi,
  project,
  results,
  service,
  superuser,
  syncTask,
} from './migration-lab.ts';

const [from, to] = ['shop-old', 'shop-new'];

let clouds: TestClouds;
let api: MigrationApi;
let source: Endpoint;
let target: Endpoint;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-migration-'));
  clouds = await startClouds();
  api = new MigrationApi(clouds);
  await createServers(clouds, [from, to]);
  [source, target] = await Promise.all([superuser(clouds, from), superuser(clouds, to)]);
  await run(source, 'SET GLOBAL sql_generate_invisible_primary_key = OFF');
  await createSampleDatabase(source, { scale: 0.05, seed: 3, signal: new AbortController().signal, onProgress: () => {} }); // prettier-ignore
  await api.createService('ferry');
});
afterAll(async () => {
  await clouds.stop();
  await rm(folder, { recursive: true, force: true });
});

const TASKS = 'ferry/projects/orders/tasks';

/** The application, until it is told to stop; `enough` resolves after some transactions. */
async function startWriter(): Promise<{ enough: Promise<void>; stop(): Promise<void> }> {
  const file = (name: string) => join(folder, name);
  await writeFile(file('connection'), `mysql://${source.user}@${source.host}:${source.port}\n`);
  await writeFile(file('password'), source.password);
  await writeFile(file('ca.pem'), clouds.ca);
  const stop = new AbortController();
  let enough: () => void;
  const seen = new Promise<void>((resolve) => (enough = resolve));
  const options = parseWriterOptions({
    connectionFile: file('connection'),
    passwordFile: file('password'),
    caFile: file('ca.pem'),
    verifyIdentity: false,
    ledgerFile: file(`ledger-${Date.now()}.jsonl`),
    rate: 60,
    progressMs: 100,
  });
  const running = runWriter(options, {
    signal: stop.signal,
    onProgress: ({ acknowledged }) => {
      if (acknowledged > 150) enough();
    },
  });
  return {
    enough: seen,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

async function run(endpoint: Endpoint, sql: string): Promise<void> {
  await withConnection(endpoint, {}, (connection) => connection.execute(sql));
}

function database(task: Task, name: string): Result {
  return results(task, 'DatabaseLevelOutput').find((one) => one['databaseName'] === name) ?? {}; // prettier-ignore
}

function applied(task: Task): boolean {
  const all = results(task, 'DatabaseLevelOutput');
  return all.every((one) => Number(one['incomingChanges']) === Number(one['appliedChanges']));
}

describe('a migration by the service', () => {
  test('connects, loads, follows the writes, and is complete when everything was applied', async () => {
    await copyTables(source, target, sampleSchemas);
    await run(target, "INSERT INTO brokerage.desk (id, name) VALUES (900000, 'left over')");
    await run(
      source,
      "INSERT INTO brokerage.desk (id, parent_id, name) VALUES (900001, NULL, 'a'), (900002, 900001, 'b')",
    );
    const sourceConnectionInfo = connectionInfo(from);
    await api.call('PUT', `${TASKS}/source`, {
      properties: {
        taskType: 'ConnectToSource.MySql',
        input: {
          sourceConnectionInfo,
          targetPlatform: 'AzureDbForMySQL',
          checkPermissionsGroup: 'MigrationFromMySQLToAzureDBForMySQL',
        },
      },
    });
    const asked = await api.taskEnd(`${TASKS}/source`);
    expect(asked).toMatchObject({
      state: 'Succeeded',
      output: [{ validationErrors: [], databases: expect.arrayContaining([...sampleSchemas]) }],
    });
    await api.call('PUT', `${TASKS}/target`, {
      properties: {
        taskType: 'ConnectToTarget.AzureDbForMySql',
        input: { sourceConnectionInfo, targetConnectionInfo: connectionInfo(to) },
      },
    });
    expect(await api.taskEnd(`${TASKS}/target`)).toMatchObject({
      state: 'Succeeded',
      output: [{ validationErrors: [] }],
    });

    const writer = await startWriter();
    const created = await api.call('PUT', `${TASKS}/sync`, syncTask(from, to, sampleSchemas));
    expect(created).toMatchObject({ status: 201, body: { properties: { state: 'Queued' } } });
    expect(JSON.stringify(created.body)).not.toContain(connectionInfo(from).password);
    const complete = (name: string) =>
      api.call('POST', `${TASKS}/sync/command`, {
        commandType: 'Migrate.Sync.Complete.Database',
        input: { databaseName: name },
      });
    const before = [undefined, 'UNDEFINED', 'CONFIGURING'];
    const early = await api.taskUntil(
      `${TASKS}/sync`,
      (task) => !before.includes(database(task, 'brokerage')['migrationState'] as string),
    );
    expect(database(early, 'brokerage')['migrationState']).toBe('INITIALIAZING');
    expect(await complete('brokerage')).toMatchObject({ status: 400 });

    await writer.enough;
    await api.taskUntil(`${TASKS}/sync`, (task) => Boolean(database(task, 'brokerage')['initializationCompleted'])); // prettier-ignore
    // Its child goes by a cascade, which leaves nothing in the source's binlog.
    await run(source, 'DELETE FROM brokerage.desk WHERE id = 900001');
    await writer.stop();
    const ready = await api.taskUntil(
      `${TASKS}/sync`,
      (task) =>
        database(task, 'brokerage')['migrationState'] === 'READY_TO_COMPLETE' && applied(task),
    );
    expect(typeof database(ready, 'brokerage')['cdcInsertCounter']).toBe('number');
    expect(Number(database(ready, 'brokerage')['incomingChanges'])).toBeGreaterThan(0);
    const [table] = results(ready, 'TableLevelOutput');
    expect(typeof table?.['cdcInsertCounter']).toBe('string');
    expect(typeof table?.['fullLoadTotalRows']).toBe('number');

    for (const name of sampleSchemas) {
      expect(await complete(name)).toMatchObject({ status: 200, body: { state: 'Accepted' } });
    }
    const done = await api.taskEnd(`${TASKS}/sync`);
    expect(done).toMatchObject({
      state: 'Succeeded',
      commands: sampleSchemas.map((databaseName) => ({
        input: { databaseName },
        state: 'Succeeded',
      })),
    });
    expect(database(done, 'batch')['migrationState']).toBe('COMPLETE');
    expect(await checksums(target, sampleSchemas)).toEqual(await checksums(source, sampleSchemas));
  });

  test('that faults half way says why, and another begins on emptied tables', async () => {
    await copyTables(source, target, ['batch']);
    await clouds.faults([
      {
        match: { operation: 'DataMigration_FullLoad' },
        kind: 'fail-operation',
        code: 'TargetGone',
      },
    ]);
    await api.call('PUT', `${TASKS}/half`, syncTask(from, to, ['batch']));
    const half = await api.taskEnd(`${TASKS}/half`);
    expect(half).toMatchObject({ state: 'Faulted', errors: [{ code: 'TargetGone' }] });
    expect(results(half, 'ErrorOutput')).toHaveLength(1);
    expect(database(half, 'batch')['migrationState']).toBe('FAILED');

    await api.call('PUT', `${TASKS}/again`, syncTask(from, to, ['batch']));
    await api.taskUntil(`${TASKS}/again`, (task) => Boolean(database(task, 'batch')['initializationCompleted'])); // prettier-ignore
    await api.call('POST', `${TASKS}/again/cancel`);
    expect(await api.task(`${TASKS}/again`)).toMatchObject({ state: 'Canceled' });
    expect(await checksums(target, ['batch'])).toEqual(await checksums(source, ['batch']));
  });

  test('faults at a change of definitions, and at a lost connection', async () => {
    await copyTables(source, target, ['batch']);
    const follow = async (task: string) => {
      await api.call('PUT', `${TASKS}/${task}`, syncTask(from, to, ['batch']));
      // It reads the binlog by then, and is not about to.
      const follows = (now: Task) => database(now, 'batch')['migrationState'] === 'READY_TO_COMPLETE'; // prettier-ignore
      await api.taskUntil(`${TASKS}/${task}`, follows);
    };
    await follow('ddl');
    await run(source, "ALTER TABLE batch.run COMMENT = 'changed'");
    expect(await api.taskEnd(`${TASKS}/ddl`)).toMatchObject({
      state: 'Faulted',
      errors: [{ code: 'UnsupportedStatement' }],
    });
    await follow('killed');
    await withConnection(source, {}, async (connection) => {
      const dumps = await connection.query(
        "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
      );
      for (const { id } of dumps) await connection.execute(`KILL ${Number(id)}`);
    });
    expect(await api.taskEnd(`${TASKS}/killed`)).toMatchObject({
      state: 'Faulted',
      errors: [{ code: 'ConnectionsLost' }],
    });
  });

  test('does again what others on the target kept it from', async () => {
    await copyTables(source, target, ['batch']);
    await run(target, 'SET GLOBAL innodb_lock_wait_timeout = 1');
    await api.call('PUT', `${TASKS}/blocked`, syncTask(from, to, ['batch']));
    await api.taskUntil(`${TASKS}/blocked`, (now) => Boolean(database(now, 'batch')['initializationCompleted'])); // prettier-ignore
    await withConnection(target, {}, async (other) => {
      await other.execute('BEGIN');
      await other.query('SELECT id FROM batch.run FOR UPDATE');
      await run(source, "UPDATE batch.run SET label = 'changed'");
      await sleep(2500);
      await other.execute('ROLLBACK');
    });
    await run(target, 'SET GLOBAL innodb_lock_wait_timeout = DEFAULT');
    const all = (task: Task) => applied(task) && Number(database(task, 'batch')['incomingChanges']) > 0; // prettier-ignore
    expect(await api.taskUntil(`${TASKS}/blocked`, all)).toMatchObject({ state: 'Running' });
    await api.call('POST', `${TASKS}/blocked/cancel`);
    expect(await checksums(target, ['batch'])).toEqual(await checksums(source, ['batch']));
  });

  test('does not survive a restart of the service', async () => {
    await copyTables(source, target, ['batch']);
    await api.call('PUT', `${TASKS}/cut`, syncTask(from, to, ['batch']));
    await api.taskUntil(`${TASKS}/cut`, (task) => task.state === 'Running');
    await clouds.kill();
    await clouds.restart();
    expect(await api.task(`${TASKS}/cut`)).toMatchObject({
      state: 'Faulted',
      errors: [{ code: 'ConnectionsLost' }],
    });
  });

  test('needs a login, a source that can be followed, the Premium tier, tables that are there, equal modes and names in lower case', async () => {
    const input = { sourceConnectionInfo: connectionInfo(from, { password: 'wrong' }) };
    await api.call('PUT', `${TASKS}/login`, {
      properties: { taskType: 'ConnectToSource.MySql', input },
    });
    expect(await api.taskEnd(`${TASKS}/login`)).toMatchObject({
      state: 'Failed',
      errors: [{ code: 'AccessDenied' }],
    });
    await run(source, "CREATE USER reader IDENTIFIED BY 'Reader-1'");
    const reader = { sourceConnectionInfo: connectionInfo(from, { user: 'reader', password: 'Reader-1' }) }; // prettier-ignore
    await api.call('PUT', `${TASKS}/rights`, {
      properties: { taskType: 'ConnectToSource.MySql', input: reader },
    });
    const rights = await api.taskEnd(`${TASKS}/rights`);
    expect(JSON.stringify(rights.output)).toContain('REPLICATION SLAVE');
    await copyTables(source, target, ['batch']);
    await run(target, 'DROP TABLE batch.run_step');
    const refused = async (task: string, name: string, code: string) => {
      await api.call('PUT', `${TASKS}/${task}`, syncTask(from, to, [name]));
      expect(await api.taskEnd(`${TASKS}/${task}`)).toMatchObject({
        state: 'FailedInputValidation',
        errors: [{ code }],
      });
    };
    await refused('case', 'Brokerage', 'MixedCaseName');
    await refused('table', 'batch', 'TableNotFound');
    await run(target, "SET GLOBAL sql_mode = ''");
    await refused('mode', 'batch', 'SqlModeMismatch');
    await run(target, 'SET GLOBAL sql_mode = DEFAULT');
    await api.call('PUT', 'small', { ...service, sku: { name: 'Standard_1vCore' } });
    await api.serviceStates('small', 'Succeeded');
    await api.call('PUT', 'small/projects/orders', project);
    await api.call('PUT', 'small/projects/orders/tasks/sync', syncTask(from, to, ['batch']));
    expect(await api.taskEnd('small/projects/orders/tasks/sync')).toMatchObject({
      state: 'FailedInputValidation',
      errors: [{ code: 'InvalidSku' }],
    });
  });
});

describe('requests', () => {
  test('are refused when they are not what the specification says', async () => {
    const { properties } = syncTask(from, to, ['batch']);
    const put = (body: unknown) => api.call('PUT', `${TASKS}/refused`, body);
    const { input } = properties;
    const withTls = { ...input.sourceConnectionInfo, encryptConnection: true };
    const refused = [
      await put(properties),
      await put({}),
      await put({ properties: { ...properties, taskType: 'GetUserTablesMySql' } }),
      await put({ properties: { ...properties, input: { ...input, bandwidth: 1 } } }),
      await put({ properties: { ...properties, input: { ...input, sourceConnectionInfo: withTls } } }), // prettier-ignore
      await api.call('PUT', 'other', { ...service, properties: {} }),
      await api.call('PUT', 'other', { ...service, sku: { name: 'Premium_64vCores' } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 400));
    expect(await api.call('GET', `${TASKS}/refused`)).toMatchObject({ status: 404 });
    await clouds.faults([{ match: { operation: 'Tasks_Get' }, kind: 'throttle' }]);
    expect(await api.call('GET', `${TASKS}/sync`)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
    });
  });
});

describe('a service', () => {
  test('of an earlier try is found as it is; it goes slowly, and with running tasks only when told so', async () => {
    const put = await api.call('PUT', 'earlier', service);
    expect(put).toMatchObject({ status: 201, body: { properties: { provisioningState: 'Accepted' } } }); // prettier-ignore
    expect(put.headers['azure-asyncoperation']).toContain('/azureAsyncOperation/');
    expect(await api.serviceStates('earlier', 'Succeeded')).toEqual(
      expect.arrayContaining(['Deploying', 'Succeeded']),
    );
    await clouds.kill();
    await clouds.restart();
    expect(await api.call('GET', 'earlier')).toMatchObject({
      status: 200,
      body: { sku: { name: 'Premium_4vCores', tier: 'Premium' }, location: service.location },
    });
    expect(await api.call('POST', 'earlier/checkStatus')).toMatchObject({ body: { status: 'Online' } }); // prettier-ignore

    await api.call('PUT', 'earlier/projects/orders', project);
    await copyTables(source, target, ['batch']);
    const running = 'earlier/projects/orders/tasks/sync';
    await api.call('PUT', running, syncTask(from, to, ['batch']));
    expect(await api.call('DELETE', 'earlier')).toMatchObject({ status: 400, body: { error: { code: 'ServiceIsBusy' } } }); // prettier-ignore
    await clouds.faults([{ match: { operation: 'DataMigration_Delete' }, kind: 'conflict', delayMs: 500 }]); // prettier-ignore
    const began = Date.now();
    expect(await api.call('DELETE', 'earlier?deleteRunningTasks=true')).toMatchObject({ status: 202 }); // prettier-ignore
    expect(await api.serviceStates('earlier', 404)).toEqual(['Deleting', '404']);
    expect(Date.now() - began).toBeGreaterThan(3000);
    expect(await api.call('DELETE', 'earlier')).toMatchObject({ status: 204 });
  });

  test('stops and starts', async () => {
    await api.call('POST', 'ferry/stop');
    expect(await api.serviceStates('ferry', 'Stopped')).toEqual(['Stopping', 'Stopped']);
    expect(await api.call('PUT', `${TASKS}/late`, syncTask(from, to, ['batch']))).toMatchObject({ status: 400 }); // prettier-ignore
    await api.call('POST', 'ferry/start');
    expect(await api.serviceStates('ferry', 'Succeeded')).toEqual(['Starting', 'Succeeded']);
  });
});
