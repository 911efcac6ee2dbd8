import {
  AddTagsToResourceCommand,
  CreateDBInstanceReadReplicaCommand,
  CreateDBProxyCommand,
  RegisterDBProxyTargetsCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freeStorage } from '../../../src/clouds/aws/free-storage.ts';
import { useNameServers } from '../../../src/mysql/name-resolution.ts';
import { surveySource } from '../../../src/prepare/source/survey.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import {
  administratorOf,
  clientsOf,
  createInstance,
  inputFor,
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
