import type { CreateDBInstanceMessage, CreateDBInstanceResult } from '@aws-sdk/client-rds';
import { describeInstance } from './describe-instance.ts';
import {
  checkFamily,
  checkIdentifier,
  checkPassword,
  checkRetention,
  refuseUnsupported,
  required,
} from './instance-checks.ts';
import { QueryFailure } from '../query-protocol.ts';
import type { Instance, Rds } from './state.ts';
import { arn, defaultGroupName, familyOf, findCluster } from './state.ts';
import type { RdsTasks } from './tasks.ts';
import { setTags } from './tags.ts';

const supportedOnCreation = new Set([
  'DBInstanceIdentifier',
  'DBInstanceClass',
  'Engine',
  'EngineVersion',
  'MasterUsername',
  'MasterUserPassword',
  'DBName',
  'AllocatedStorage',
  'StorageType',
  'Iops',
  'DBParameterGroupName',
  'BackupRetentionPeriod',
  'PreferredBackupWindow',
  'PreferredMaintenanceWindow',
  'MultiAZ',
  'PubliclyAccessible',
  'CACertificateIdentifier',
  'DeletionProtection',
  'EnableIAMDatabaseAuthentication',
  'DBClusterIdentifier',
  'Tags',
]);

export async function createInstance(
  rds: Rds,
  tasks: RdsTasks,
  input: CreateDBInstanceMessage,
  failing: boolean,
): Promise<CreateDBInstanceResult> {
  refuseUnsupported(input, supportedOnCreation);
  const id = (input.DBInstanceIdentifier ?? '').toLowerCase();
  checkIdentifier('DBInstanceIdentifier', id, 63);
  const { instances } = rds.store.value;
  if (Object.hasOwn(instances, id)) {
    throw new QueryFailure('DBInstanceAlreadyExists', 'DB instance already exists');
  }
  const instance = newInstance(rds, id, input);
  instance.failing = failing;
  instances[id] = instance;
  setTags(rds, arn(rds, 'db', id), input.Tags);
  await rds.store.save();
  tasks.start(instance);
  return { DBInstance: describeInstance(rds, instance) };
}

function newInstance(rds: Rds, id: string, input: CreateDBInstanceMessage): Instance {
  const cluster =
    input.DBClusterIdentifier === undefined ? null : findCluster(rds, input.DBClusterIdentifier);
  const engine = input.Engine ?? '';
  const version = input.EngineVersion ?? cluster?.version ?? '8.0.42';
  const family = familyOf(engine, version);
  if (engine.startsWith('aurora') !== (cluster !== null)) {
    throw new QueryFailure('InvalidParameterCombination', 'Aurora instances belong to a cluster');
  }
  const others = Object.values(rds.store.value.instances);
  if (cluster !== null && others.some((one) => one.cluster === cluster.id)) {
    // Readers share their writer's storage, which no mysqld can.
    throw new QueryFailure('InsufficientDBInstanceCapacity', 'the sandbox has writers only');
  }
  const group = (input.DBParameterGroupName ?? defaultGroupName(family)).toLowerCase();
  checkFamily(rds, group, family);
  const iops = input.Iops ?? null;
  return {
    id,
    class: input.DBInstanceClass ?? '',
    engine,
    version,
    ...masterOf(input, cluster),
    database: input.DBName ?? cluster?.database ?? null,
    storage: cluster === null ? required('AllocatedStorage', input.AllocatedStorage) : 1,
    storageType: input.StorageType ?? (cluster === null ? 'gp3' : 'aurora'),
    iops,
    retention: checkRetention(cluster?.retention ?? input.BackupRetentionPeriod ?? 1),
    backupWindow: input.PreferredBackupWindow ?? '03:00-03:30',
    maintenanceWindow: input.PreferredMaintenanceWindow ?? 'sun:05:00-sun:05:30',
    multiAz: input.MultiAZ ?? false,
    public: input.PubliclyAccessible ?? false,
    caCertificate: input.CACertificateIdentifier ?? 'rds-ca-rsa2048-g1',
    deletionProtection: input.DeletionProtection ?? false,
    iamAuthentication: input.EnableIAMDatabaseAuthentication ?? false,
    createdAt: new Date().toISOString(),
    cluster: cluster?.id ?? null,
    source: null,
    status: 'creating',
    group,
    appliedGroups: { instance: group, cluster: cluster?.group ?? '' },
    applied: {},
    applying: false,
    pending: {},
    task: 'create',
    failing: false,
  };
}

function masterOf(
  input: CreateDBInstanceMessage,
  cluster: { masterUser: string; masterPassword: string | null } | null,
): Pick<Instance, 'masterUser' | 'masterPassword'> {
  if (cluster !== null) {
    return { masterUser: cluster.masterUser, masterPassword: cluster.masterPassword };
  }
  const masterUser = required('MasterUsername', input.MasterUsername);
  if (!/^[A-Za-z]\w{0,31}$/.test(masterUser) || masterUser === 'rdsadmin') {
    throw new QueryFailure('InvalidParameterValue', `MasterUsername ${masterUser} cannot be used`);
  }
  return { masterUser, masterPassword: checkPassword(input.MasterUserPassword) };
}
