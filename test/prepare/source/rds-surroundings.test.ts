import {
  AddTagsToResourceCommand,
  CreateDBInstanceReadReplicaCommand,
  CreateDBProxyCommand,
  RegisterDBProxyTargetsCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCheckpoint } from '../../../src/checkpoint/store.ts';
import { createCheckpoint } from '../../../src/checkpoint/take-name.ts';
import { freeStorage } from '../../../src/clouds/aws/free-storage.ts';
import { createAzureClients } from '../../../src/clouds/azure/clients.ts';
import { withAddresses } from '../../../src/config/located.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { readRetention, setRdsRetention } from '../../../src/mysql/binlog-retention.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import { useNameServers } from '../../../src/mysql/name-resolution.ts';
import { guardBinlog } from '../../../src/prepare/source/guard-binlog.ts';
import { surveySource } from '../../../src/prepare/source/survey.ts';
import { surveyClouds } from '../../../src/prepare/survey-clouds.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import {
  administratorOf,
  clientsOf,
  createInstance,
  inputFor,
  perform,
  REGION,
  signal,
  untilAvailable,
} from './rds-source.ts';

let clouds: TestClouds;
beforeAll(async () => {
  clouds = await startClouds();
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
  await createInstance(clouds, 'shop');
});
afterAll(async () => {
  useNameServers(undefined);
  await clouds.stop();
});

test('a proxy before it and replicas behind it are named; a replica is no source', async () => {
  const client = await administratorOf(clouds);
  await client.send(
    new CreateDBInstanceReadReplicaCommand({
      DBInstanceIdentifier: 'shop-reader',
      SourceDBInstanceIdentifier: 'shop',
    }),
  );
  await untilAvailable(clouds, 'shop-reader');
  await client.send(
    new CreateDBProxyCommand({
      DBProxyName: 'front',
      EngineFamily: 'MYSQL',
      RoleArn: 'arn:aws:iam::123456789012:role/front',
      VpcSubnetIds: ['subnet-1', 'subnet-2'],
      Auth: [{ AuthScheme: 'SECRETS', SecretArn: 'arn:aws:secretsmanager:x:1:secret:y' }],
    }),
  );
  const targets = { DBProxyName: 'front', DBInstanceIdentifiers: ['shop'] };
  await client.send(new RegisterDBProxyTargetsCommand(targets));
  const { findings } = await surveySource(inputFor(clouds, { instance: 'shop' }), { signal });
  expect(findings).toContainEqual(
    expect.objectContaining({
      code: 'rds-proxy',
      severity: 'warning',
      found: expect.stringContaining('RDS Proxy front'),
    }),
  );
  expect(findings).toContainEqual(
    expect.objectContaining({
      code: 'binlog-readers',
      severity: 'warning',
      found: expect.stringContaining('read replica shop-reader'),
    }),
  );
  const replica = await surveySource(inputFor(clouds, { instance: 'shop-reader' }), { signal });
  expect(replica.findings).toMatchObject([{ code: 'rds-read-replica', severity: 'blocker' }]);
  expect(replica.findings[0]?.found).toContain('a read replica of shop');
});

test('free storage is what CloudWatch measured of the instance', async () => {
  const client = await administratorOf(clouds);
  await client.send(
    new AddTagsToResourceCommand({
      ResourceName: `arn:aws:rds:${REGION}:123456789012:db:shop`,
      Tags: [{ Key: 'sandbox:free-storage-bytes', Value: '12000000000' }],
    }),
  );
  const cloudwatch = await clientsOf(clouds).cloudwatch(REGION);
  expect(await freeStorage(cloudwatch, { instance: 'shop' }, signal)).toBe(12_000_000_000);
  expect(await freeStorage(cloudwatch, { instance: 'nobody' }, signal)).toBeNull();
});

test('an instance is known by its name, however that is written', async () => {
  const { config, clients } = inputFor(clouds, { instance: 'Shop' });
  const { instance = '' } = config.source as { instance?: string };
  // CloudWatch, unlike RDS, knows it in lower case only.
  expect(await freeStorage(await clients.cloudwatch(REGION), { instance }, signal)).not.toBeNull();
});

test('what the user accepts of the surroundings is no warning any more', async () => {
  const accept = ['rds-proxy', 'binlog-readers'];
  const tls = { ca: '${env:CA}' };
  const { config, clients: aws } = inputFor(clouds, { instance: 'shop', tls }, { preflight: { accept } }); // prettier-ignore
  const env = { PASSWORD: 'Correct-Horse-9', CA: clouds.ca };
  const secrets = createSecretResolver({ secretsDirectory: undefined, env, aws });
  const azure = createAzureClients({ env: {} });
  const { source } = await surveyClouds({ config, aws, azure, secrets, now: () => new Date() }, { signal }); // prettier-ignore
  const found = source.findings.filter(({ code }) => accept.includes(code));
  expect(found.map(({ severity }) => severity)).toEqual(['info', 'info']);
});

test('what the guard raises is remembered, so that it is put back', async () => {
  const input = inputFor(clouds, { instance: 'shop' });
  const { address } = await surveySource(input, { signal });
  if (address === null) throw new Error('no address');
  const server = await input.endpoint(address);
  const { name } = input.config;
  await withConnection(server, {}, async (connection) => {
    await setRdsRetention(connection, 2);
    const row = { name, configHash: 'a'.repeat(64), workflowRun: 'r', sourceUuid: 'u' };
    await createCheckpoint(connection, row);
    await connection.query(
      'UPDATE skyferry.migration SET source_time = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR',
    );
  });
  const config = withAddresses(input.config, { source: address, target: address });
  const job = { config, source: server, target: server, aws: input.clients, etaHours: 1, intervalMs: 50 }; // prettier-ignore
  const { raised } = await guardBinlog(job, null, { signal, onProgress: () => {} });
  expect(raised).toContain('raised to 6 h');
  await withConnection(server, {}, async (connection) => {
    expect(await readRetention(connection)).toEqual({ kind: 'rds', hours: 6 });
    expect((await readCheckpoint(connection, name))?.remembered).toEqual({ retention: '2' });
  });
});

test('storage that is being optimized, for hours, hinders nothing', async () => {
  const client = await administratorOf(clouds);
  const Tags = [{ Key: 'sandbox:status', Value: 'storage-optimization' }];
  const ResourceName = `arn:aws:rds:${REGION}:123456789012:db:shop`;
  await client.send(new AddTagsToResourceCommand({ ResourceName, Tags }));
  const input = inputFor(clouds, { instance: 'shop' });
  expect((await surveySource(input, { signal })).acts.map(({ name }) => name)).toContain(
    'aws/reboot',
  );
  const { completed } = await perform('aws/parameter-group', input);
  expect(completed.note).toContain('binlog_format=ROW');
});
