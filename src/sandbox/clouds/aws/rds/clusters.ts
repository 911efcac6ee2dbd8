import type {
  CreateDBClusterMessage,
  DBCluster,
  DBClusterMessage,
  DescribeDBClustersMessage,
  ModifyDBClusterMessage,
} from '@aws-sdk/client-rds';
import { checkIdentifier, checkPassword, refuseUnsupported, required } from './instance-checks.ts';
import { filtered, page } from './paging.ts';
import { QueryFailure } from '../query-protocol.ts';
import { hostName, serverId } from './server.ts';
import { applyStatus } from './server-values.ts';
import type { Cluster, Instance, Rds } from './state.ts';
import { arn, defaultGroupName, familyOf, findCluster, findGroup } from './state.ts';
import { setTags, tagList } from './tags.ts';

export function describeClusters(rds: Rds, input: DescribeDBClustersMessage): DBClusterMessage {
  const { DBClusterIdentifier: id } = input;
  const all = id === undefined ? Object.values(rds.store.value.clusters) : [findCluster(rds, id)];
  const kept = filtered(all, input.Filters, {
    'db-cluster-id': (cluster) => cluster.id,
    engine: (cluster) => cluster.engine,
  });
  const { items, ...more } = page(kept, input);
  return { DBClusters: items.map((cluster) => describeCluster(rds, cluster)), ...more };
}

const supportedOnCreation = new Set([
  'DBClusterIdentifier',
  'Engine',
  'EngineVersion',
  'MasterUsername',
  'MasterUserPassword',
  'DatabaseName',
  'DBClusterParameterGroupName',
  'BackupRetentionPeriod',
  'DeletionProtection',
  'Tags',
]);

/** Aurora: its instances are made one by one afterwards. */
export function createCluster(rds: Rds, input: CreateDBClusterMessage): DBCluster {
  refuseUnsupported(input, supportedOnCreation);
  const id = (input.DBClusterIdentifier ?? '').toLowerCase();
  checkIdentifier('DBClusterIdentifier', id, 63);
  if (Object.hasOwn(rds.store.value.clusters, id)) {
    throw new QueryFailure('DBClusterAlreadyExistsFault', 'DB Cluster already exists');
  }
  const engine = input.Engine ?? '';
  const version = input.EngineVersion ?? '8.0.mysql_aurora.3.08.2';
  const family = familyOf(engine, version);
  const group = (input.DBClusterParameterGroupName ?? defaultGroupName(family)).toLowerCase();
  checkClusterFamily(rds, group, family);
  const cluster: Cluster = {
    id,
    engine,
    version,
    masterUser: required('MasterUsername', input.MasterUsername),
    masterPassword: checkPassword(input.MasterUserPassword),
    database: input.DatabaseName ?? null,
    retention: input.BackupRetentionPeriod ?? 1,
    group,
    createdAt: new Date().toISOString(),
    status: 'available',
    deletionProtection: input.DeletionProtection ?? false,
  };
  rds.store.value.clusters[id] = cluster;
  setTags(rds, arn(rds, 'cluster', id), input.Tags);
  return describeCluster(rds, cluster);
}

const supportedOnChange = new Set([
  'DBClusterIdentifier',
  'DBClusterParameterGroupName',
  'BackupRetentionPeriod',
  'DeletionProtection',
  'ApplyImmediately',
]);

/** Another group takes effect with the reboot of each instance. */
export function modifyCluster(rds: Rds, input: ModifyDBClusterMessage): DBCluster {
  refuseUnsupported(input, supportedOnChange);
  const cluster = findCluster(rds, input.DBClusterIdentifier ?? '');
  const group = (input.DBClusterParameterGroupName ?? cluster.group).toLowerCase();
  checkClusterFamily(rds, group, familyOf(cluster.engine, cluster.version));
  cluster.group = group;
  cluster.retention = input.BackupRetentionPeriod ?? cluster.retention;
  cluster.deletionProtection = input.DeletionProtection ?? cluster.deletionProtection;
  return describeCluster(rds, cluster);
}

export function deleteCluster(rds: Rds, id: string): DBCluster {
  const cluster = findCluster(rds, id);
  if (membersOf(rds, cluster).length > 0) {
    throw new QueryFailure(
      'InvalidDBClusterStateFault',
      'Cluster cannot be deleted, it still contains DB instances in non-deleting state.',
    );
  }
  const described = { ...describeCluster(rds, cluster), Status: 'deleting' };
  delete rds.store.value.clusters[cluster.id];
  return described;
}

function membersOf({ store }: Rds, { id }: Cluster): Instance[] {
  return Object.values(store.value.instances).filter(({ cluster }) => cluster === id);
}

/** The name of the writer: in the sandbox both names are one, and so are their certificates. */
function describeCluster(rds: Rds, cluster: Cluster): DBCluster {
  const members = membersOf(rds, cluster);
  const writer = members.find((one) => rds.context.servers.has(serverId(one)));
  return {
    DBClusterIdentifier: cluster.id,
    DBClusterArn: arn(rds, 'cluster', cluster.id),
    Engine: cluster.engine,
    EngineVersion: cluster.version,
    EngineMode: 'provisioned',
    Status: cluster.status,
    MasterUsername: cluster.masterUser,
    ...(cluster.database !== null && { DatabaseName: cluster.database }),
    BackupRetentionPeriod: cluster.retention,
    DBClusterParameterGroup: cluster.group,
    DBClusterMembers: members.map((instance) => ({
      DBInstanceIdentifier: instance.id,
      IsClusterWriter: true,
      DBClusterParameterGroupStatus: applyStatus(rds, instance, 'cluster'),
      PromotionTier: 1,
    })),
    ...(writer !== undefined && { Endpoint: hostName(rds, writer.id) }),
    Port: rds.context.servers.port,
    MultiAZ: false,
    ClusterCreateTime: new Date(cluster.createdAt),
    DeletionProtection: cluster.deletionProtection,
    TagList: tagList(rds, arn(rds, 'cluster', cluster.id)),
  };
}

function checkClusterFamily(rds: Rds, group: string, family: string): void {
  if (findGroup(rds, 'cluster', group).family !== family) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      `The cluster parameter group ${group} is not of the family ${family}`,
    );
  }
}
