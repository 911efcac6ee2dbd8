import {
  CreateDBClusterCommand,
  CreateDBParameterGroupCommand,
  ModifyDBInstanceCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useNameServers } from '../../../src/mysql/name-resolution.ts';
import { sourceAct } from '../../../src/prepare/source/acts.ts';
import { surveySource } from '../../../src/prepare/source/survey.ts';
import { undoSource } from '../../../src/prepare/source/undo.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import {
  administratorOf,
  count,
  createInstance,
  globals,
  inputFor,
  perform,
  prepare,
  signal,
  untilAvailable,
} from './rds-source.ts';

let clouds: TestClouds;
const quiet = { signal, onProgress: () => {} };

beforeAll(async () => {
  clouds = await startClouds();
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
  await Promise.all([createInstance(clouds, 'shop'), createInstance(clouds, 'stock')]);
});
afterAll(async () => {
  useNameServers(undefined);
  await clouds.stop();
});

/** A custom group as somebody made it before Skyferry came. */
async function customGroup(name: string, ...instances: string[]): Promise<void> {
  const client = await administratorOf(clouds);
  await client.send(
    new CreateDBParameterGroupCommand({
      DBParameterGroupName: name,
      DBParameterGroupFamily: 'mysql8.0',
      Description: 'made by hand',
    }),
  );
  for (const id of instances) {
    const input = { DBInstanceIdentifier: id, DBParameterGroupName: name };
    await client.send(new ModifyDBInstanceCommand(input));
    await untilAvailable(clouds, id);
  }
}

test('what is queued is listed with the reboot that may apply it', async () => {
  const client = await administratorOf(clouds);
  const input = { DBInstanceIdentifier: 'shop', DBInstanceClass: 'db.m6g.xlarge' };
  await client.send(new ModifyDBInstanceCommand(input));
  const survey = await surveySource(inputFor(clouds, { instance: 'shop' }), { signal });
  const reboot = survey.acts.find(({ name }) => name === 'aws/reboot');
  expect(reboot?.interrupts).toContain('DBInstanceClass db.m6g.xlarge');
  expect(survey.facts.join('\n')).toContain('queued for its maintenance window: DBInstanceClass');
});

test('throttled, expired, denied and lost: each is what it is, and says what to do', async () => {
  const input = inputFor(clouds, { instance: 'shop' });
  const survey = () => surveySource(input, { signal });
  const match = { service: 'rds', operation: 'DescribeDBInstances' };
  await clouds.faults([{ match, kind: 'throttle', times: 1 }]);
  await expect(survey()).resolves.toMatchObject({ findings: expect.any(Array) });
  await clouds.faults([{ match, kind: 'throttle', times: 3 }]);
  await expect(survey()).rejects.toMatchObject({ code: 'CLOUD_BUSY', retryable: true });
  await clouds.faults([{ match, kind: 'server-error', times: 3 }]);
  await expect(survey()).rejects.toMatchObject({ code: 'CLOUD_BUSY' });
  await clouds.faults([{ match, kind: 'expired' }]);
  await expect(survey()).rejects.toMatchObject({
    code: 'CLOUD_DENIED',
    detail: { next: expect.stringContaining('credentials') },
  });
  await clouds.faults([{ match, kind: 'drop-before', times: 3 }]);
  await expect(survey()).rejects.toMatchObject({ code: 'CLOUD_BUSY' });
});

test('answers that are lost lead to one group and one reboot', async () => {
  const input = inputFor(clouds, { instance: 'shop' });
  const lose = (operation: string) =>
    clouds.faults([{ match: { service: 'rds', operation }, kind: 'drop-after' }]);
  await lose('CreateDBParameterGroup');
  await lose('ModifyDBParameterGroup');
  await perform('aws/parameter-group', input);
  await expect(perform('aws/parameter-group', input)).resolves.toMatchObject({
    begun: { token: null },
  });
  await lose('ModifyDBInstance');
  const attach = sourceAct('aws/attach-parameter-group', input);
  // Sent again by the SDK, RDS refuses it while it is modifying.
  await attach.begin(signal).catch(() => null);
  const attached = await attach.begin(signal);
  await attach.complete(attached, quiet);

  await lose('RebootDBInstance');
  const reboot = sourceAct('aws/reboot', input);
  // The SDK sends it again by itself; RDS then says that it is rebooting.
  await expect(reboot.begin(signal)).rejects.toMatchObject({ code: 'CLOUD_BUSY' });
  const begun = await reboot.begin(signal);
  expect(begun.token).toBe('rebooting');
  await reboot.complete(begun, quiet);
  await expect(reboot.begin(signal)).resolves.toEqual({ token: null });
  const requests = await clouds.requests();
  // What was done and then lost has no status.
  const done = (operation: string) =>
    requests.filter((one) => one.operation === operation && !((one.status ?? 0) >= 400)).length;
  expect(done('CreateDBParameterGroup')).toBe(1);
  expect(done('RebootDBInstance')).toBe(1);
});

test('what abort says and removes of it', async () => {
  const input = inputFor(clouds, { instance: 'shop' });
  const formers = { 'aws/attach-parameter-group': { group: 'default.mysql8.0' } };
  const undo = { ...input, formers, deleteCreated: true };
  await expect(undoSource(undo, { signal })).resolves.toEqual([
    expect.stringContaining('keeps the parameter group skyferry-shop (before: default.mysql8.0)'),
  ]);
  await perform('aws/parameter-group', inputFor(clouds, { instance: 'stock' }));
  const unattached = { ...inputFor(clouds, { instance: 'stock' }), formers: {} };
  await expect(undoSource({ ...unattached, deleteCreated: false }, { signal })).resolves.toEqual([
    'the parameter group skyferry-stock was created and is attached to nothing',
  ]);
  await expect(undoSource({ ...unattached, deleteCreated: true }, { signal })).resolves.toEqual([
    'the parameter group skyferry-stock is removed',
  ]);
  expect(await count(clouds, 'DeleteDBParameterGroup')).toBe(1);
});

test('a group that others use is refused, and copied for the instance alone once it is named', async () => {
  await createInstance(clouds, 'twin');
  await customGroup('team-defaults', 'stock', 'twin');
  const refused = await surveySource(inputFor(clouds, { instance: 'stock' }), { signal });
  expect(refused.acts).toEqual([]);
  expect(refused.findings).toContainEqual(
    expect.objectContaining({
      code: 'parameter-group-shared',
      severity: 'blocker',
      found: expect.stringContaining('twin'),
    }),
  );
  const shared = sourceAct('aws/parameter-group', inputFor(clouds, { instance: 'stock' }));
  await expect(shared.begin(signal)).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });

  const named = inputFor(clouds, { instance: 'stock', parameterGroup: 'skyferry-own' });
  const { address } = await prepare(named);
  expect(await globals(named, address, ['gtid_mode', 'binlog_format'])).toEqual(['ON', 'ROW']);
  expect(await count(clouds, 'CopyDBParameterGroup')).toBe(1);
  const twin = inputFor(clouds, { instance: 'twin' });
  const { address: other } = await surveySource(twin, { signal });
  expect(await globals(twin, other, ['binlog_format'])).toEqual(['MIXED']);
});

test('a group that the policy does not let be changed is a right that is missing', async () => {
  await customGroup('legacy', 'twin');
  const input = inputFor(clouds, { instance: 'twin' });
  const survey = await surveySource(input, { signal });
  expect(survey.acts[0]?.does).toContain(
    'in the parameter group legacy, which no other server uses',
  );
  const act = sourceAct('aws/parameter-group', input);
  await expect(act.begin(signal)).rejects.toMatchObject({
    code: 'CLOUD_DENIED',
    message: expect.stringContaining('rds:ModifyDBParameterGroup'),
    detail: { next: expect.stringContaining('grant') },
  });
});

test('a wrong password and a wrong name are findings, not failures', async () => {
  const input = inputFor(clouds, { instance: 'twin' });
  const wrong = {
    ...input,
    endpoint: async (at: { host: string; port: number }) => ({
      ...(await input.endpoint(at)),
      password: 'wrong',
    }),
  };
  const codes = async (given: typeof input) =>
    (await surveySource(given, { signal })).findings.map(({ code }) => code);
  expect(await codes(wrong)).toEqual(['source-login']);
  expect(await codes(inputFor(clouds, { instance: 'nobody' }))).toEqual(['rds-missing']);
});

test('Aurora is prepared by its cluster’s group, and its writer is rebooted', async () => {
  const client = await administratorOf(clouds);
  await client.send(
    new CreateDBClusterCommand({
      DBClusterIdentifier: 'ledger',
      Engine: 'aurora-mysql',
      EngineVersion: '8.0.mysql_aurora.3.08.2',
      MasterUsername: 'admin',
      MasterUserPassword: 'Correct-Horse-9',
    }),
  );
  await createInstance(clouds, 'ledger-1', {
    Engine: 'aurora-mysql',
    EngineVersion: '8.0.mysql_aurora.3.08.2',
    DBClusterIdentifier: 'ledger',
  });
  const wrongKind = await surveySource(inputFor(clouds, { instance: 'ledger-1' }), { signal });
  expect(wrongKind.findings).toMatchObject([{ code: 'rds-engine', severity: 'blocker' }]);
  const input = inputFor(clouds, { kind: 'aurora-mysql', cluster: 'ledger' });
  const { acts, address, findings } = await prepare(input);
  expect(findings.filter(({ severity }) => severity === 'blocker')).toEqual([]);
  expect(acts.map(({ name }) => name)).not.toContain('aws/backup-retention');
  expect(await globals(input, address, ['log_bin', 'gtid_mode'])).toEqual(['1', 'ON']);
  expect(await count(clouds, 'ModifyDBClusterParameterGroup')).toBeGreaterThan(0);
  expect((await surveySource(input, { signal })).acts).toEqual([]);
});
