import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  AddTagsToResourceCommand,
  CreateDBClusterCommand,
  CreateDBClusterParameterGroupCommand,
  CreateDBInstanceCommand,
  CreateDBInstanceReadReplicaCommand,
  CreateDBProxyCommand,
  DescribeDBClustersCommand,
  DescribeDBProxyTargetsCommand,
  ListTagsForResourceCommand,
  ModifyDBClusterCommand,
  ModifyDBClusterParameterGroupCommand,
  RebootDBInstanceCommand,
  RegisterDBProxyTargetsCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../../src/mysql/connection.ts';
import { sandboxUsers } from '../../../../src/sandbox/clouds/aws/identity.ts';
import type { RdsScene } from './scene.ts';
import { openScene, PASSWORD } from './scene.ts';

let scene: RdsScene;

beforeAll(async () => {
  scene = await openScene();
  await scene.administrator.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: 'shop',
      DBInstanceClass: 'db.m6g.large',
      Engine: 'mysql',
      MasterUsername: 'admin',
      MasterUserPassword: PASSWORD,
      AllocatedStorage: 20,
    }),
  );
  await scene.statesUntilAvailable('shop');
});
afterAll(() => scene.stop());

test("Aurora's binlog is its cluster's parameter, off at first, and takes a reboot of the writer", async () => {
  const { administrator, skyferry } = scene;
  await administrator.send(
    new CreateDBClusterCommand({
      DBClusterIdentifier: 'orders',
      Engine: 'aurora-mysql',
      MasterUsername: 'admin',
      MasterUserPassword: PASSWORD,
    }),
  );
  await administrator.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: 'orders-1',
      DBClusterIdentifier: 'orders',
      DBInstanceClass: 'db.r6g.large',
      Engine: 'aurora-mysql',
    }),
  );
  const writer = await scene.settled('orders-1');
  expect(await scene.globals(writer, ['log_bin'])).toEqual(['0']);
  await skyferry.send(
    new CreateDBClusterParameterGroupCommand({
      DBClusterParameterGroupName: 'skyferry-orders',
      DBParameterGroupFamily: 'aurora-mysql8.0',
      Description: 'for CDC',
    }),
  );
  await skyferry.send(
    new ModifyDBClusterParameterGroupCommand({
      DBClusterParameterGroupName: 'skyferry-orders',
      Parameters: [
        { ParameterName: 'binlog_format', ParameterValue: 'ROW', ApplyMethod: 'pending-reboot' },
      ],
    }),
  );
  await skyferry.send(
    new ModifyDBClusterCommand({
      DBClusterIdentifier: 'orders',
      DBClusterParameterGroupName: 'skyferry-orders',
    }),
  );
  const member = async () => {
    const command = new DescribeDBClustersCommand({ DBClusterIdentifier: 'orders' });
    const { DBClusters: [cluster] = [] } = await skyferry.send(command);
    return cluster?.DBClusterMembers?.[0];
  };
  expect(await member()).toMatchObject({
    DBInstanceIdentifier: 'orders-1',
    IsClusterWriter: true,
    DBClusterParameterGroupStatus: 'pending-reboot',
  });
  await skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'orders-1' }));
  await scene.statesUntilAvailable('orders-1');
  expect(await member()).toMatchObject({ DBClusterParameterGroupStatus: 'in-sync' });
  expect(await scene.globals(writer, ['log_bin', 'binlog_format'])).toEqual(['1', 'ROW']);
});

test('a full disk stops the server until the scene has room again; tags are kept', async () => {
  const shop = await scene.describe('shop');
  const tag = (Value: string) =>
    scene.administrator.send(
      new AddTagsToResourceCommand({
        ResourceName: shop.DBInstanceArn,
        Tags: [{ Key: 'sandbox:status', Value }],
      }),
    );
  await tag('storage-full');
  expect((await scene.describe('shop')).DBInstanceStatus).toBe('storage-full');
  await expect(openConnection(scene.login(shop))).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
  });
  await expect(
    scene.skyferry.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'shop' })),
  ).rejects.toMatchObject({ name: 'InvalidDBInstanceStateFault' });
  await tag('available');
  expect(await scene.globals(shop, ['log_bin'])).toEqual(['1']);
  const command = new ListTagsForResourceCommand({ ResourceName: shop.DBInstanceArn });
  const { TagList } = await scene.skyferry.send(command);
  expect(TagList).toEqual([{ Key: 'sandbox:status', Value: 'available' }]);
});

test('who else is there is listed: a read replica and a proxy', async () => {
  const { administrator, skyferry } = scene;
  await administrator.send(
    new CreateDBInstanceReadReplicaCommand({
      DBInstanceIdentifier: 'shop-reader',
      SourceDBInstanceIdentifier: 'shop',
    }),
  );
  expect((await scene.describe('shop')).ReadReplicaDBInstanceIdentifiers).toEqual(['shop-reader']);
  expect(await scene.describe('shop-reader')).toMatchObject({
    ReadReplicaSourceDBInstanceIdentifier: 'shop',
  });
  await administrator.send(
    new CreateDBProxyCommand({
      DBProxyName: 'front',
      EngineFamily: 'MYSQL',
      RoleArn: 'arn:aws:iam::123456789012:role/proxy',
      VpcSubnetIds: ['subnet-1'],
    }),
  );
  await administrator.send(
    new RegisterDBProxyTargetsCommand({ DBProxyName: 'front', DBInstanceIdentifiers: ['shop'] }),
  );
  const { Targets } = await skyferry.send(
    new DescribeDBProxyTargetsCommand({ DBProxyName: 'front' }),
  );
  expect(Targets).toEqual([{ RdsResourceId: 'shop', Type: 'RDS_INSTANCE', Port: 3306 }]);
});

test('CloudWatch measures the real server', async () => {
  const client = new CloudWatchClient({
    endpoint: scene.clouds.url,
    region: 'eu-central-1',
    credentials: sandboxUsers.skyferry,
    maxAttempts: 1,
    requestHandler: { httpsAgent: { ca: scene.clouds.ca } },
  });
  const query = (Id: string, MetricName: string) => ({
    Id,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/RDS',
        MetricName,
        Dimensions: [{ Name: 'DBInstanceIdentifier', Value: 'shop' }],
      },
      Period: 60,
      Stat: 'Average',
    },
  });
  const { MetricDataResults: results = [] } = await client.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 600_000),
      EndTime: new Date(),
      MetricDataQueries: [
        query('free', 'FreeStorageSpace'),
        query('logs', 'BinLogDiskUsage'),
        query('none', 'NoSuchMetric'),
      ],
    }),
  );
  expect(results.map(({ Id }) => Id)).toEqual(['free', 'logs', 'none']);
  const [free, logs, none] = results.map(({ Values }) => Values ?? []);
  expect(free?.[0]).toBeGreaterThan(19 * 1024 ** 3);
  expect(free?.[0]).toBeLessThan(20 * 1024 ** 3);
  expect(logs?.[0]).toBeGreaterThan(100);
  expect(none).toEqual([]);
  expect(results[0]?.Timestamps?.[0]).toBeInstanceOf(Date);
});
