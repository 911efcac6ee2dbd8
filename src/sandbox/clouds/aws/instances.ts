import type {
  CreateDBInstanceMessage,
  CreateDBInstanceResult,
  DBInstanceMessage,
  DeleteDBInstanceMessage,
  DeleteDBInstanceResult,
  DescribeDBInstancesMessage,
  ModifyDBInstanceMessage,
  ModifyDBInstanceResult,
  RebootDBInstanceMessage,
  RebootDBInstanceResult,
} from '@aws-sdk/client-rds';
import { describeInstance } from './describe-instance.ts';
import { filtered, page } from './paging.ts';
import { QueryFailure } from './query-protocol.ts';
import type { Instance, Pending, Rds } from './rds-state.ts';
import {
  arn,
  defaultGroupName,
  familyOf,
  findCluster,
  findGroup,
  findInstance,
} from './rds-state.ts';
import type { RdsTasks } from './rds-tasks.ts';
import { setTags } from './tags.ts';

export function describeInstances(rds: Rds, input: DescribeDBInstancesMessage): DBInstanceMessage {
  const { DBInstanceIdentifier: id } = input;
  const all = id === undefined ? Object.values(rds.store.value.instances) : [findInstance(rds, id)];
  const kept = filtered(all, input.Filters, {
    'db-instance-id': (instance) => instance.id,
    'db-cluster-id': (instance) => instance.cluster,
    engine: (instance) => instance.engine,
  });
  const { items, ...more } = page(kept, input);
  return { DBInstances: items.map((instance) => describeInstance(rds, instance)), ...more };
}

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

export function checkPassword(password: string | undefined): string {
  const checked = required('MasterUserPassword', password);
  // RDS refuses `/`, `@`, `"` and spaces; the sandbox quotes and backslashes too.
  if (!/^[^/@"'\\\s]{8,41}$/.test(checked)) {
    throw new QueryFailure(
      'InvalidParameterValue',
      'The parameter MasterUserPassword is not valid',
    );
  }
  return checked;
}

const supportedOnChange = new Set([
  'DBInstanceIdentifier',
  'ApplyImmediately',
  'DBParameterGroupName',
  'DBInstanceClass',
  'AllocatedStorage',
  'StorageType',
  'Iops',
  'EngineVersion',
  'AllowMajorVersionUpgrade',
  'BackupRetentionPeriod',
  'MultiAZ',
  'MasterUserPassword',
  'DeletionProtection',
  'PubliclyAccessible',
  'EnableIAMDatabaseAuthentication',
  'PreferredBackupWindow',
  'PreferredMaintenanceWindow',
]);

export async function modifyInstance(
  rds: Rds,
  tasks: RdsTasks,
  input: ModifyDBInstanceMessage,
  failing: boolean,
): Promise<ModifyDBInstanceResult> {
  refuseUnsupported(input, supportedOnChange);
  const instance = findInstance(rds, input.DBInstanceIdentifier ?? '');
  requireAvailable(instance);
  const changes = pendingChanges(instance, input);
  const group = input.DBParameterGroupName?.toLowerCase();
  if (group !== undefined) {
    checkFamily(rds, group, familyOf(instance.engine, instance.version));
  }
  Object.assign(instance.pending, changes);
  const attached = group !== undefined && group !== instance.group;
  instance.group = group ?? instance.group;
  instance.deletionProtection = input.DeletionProtection ?? instance.deletionProtection;
  instance.public = input.PubliclyAccessible ?? instance.public;
  instance.iamAuthentication = input.EnableIAMDatabaseAuthentication ?? instance.iamAuthentication;
  instance.backupWindow = input.PreferredBackupWindow ?? instance.backupWindow;
  instance.maintenanceWindow = input.PreferredMaintenanceWindow ?? instance.maintenanceWindow;
  // Whatever was queued before is applied along with it.
  const now = appliesNow(instance, changes, input.ApplyImmediately ?? false);
  if (now || attached) {
    instance.task = now ? 'modify' : 'attach';
    instance.status = 'modifying';
    instance.applying = attached;
    instance.failing = failing;
  }
  // The answer still says what it was.
  const before = { ...instance, status: 'available' };
  await rds.store.save();
  if (instance.task !== null) tasks.start(instance);
  return { DBInstance: describeInstance(rds, before) };
}

function appliesNow(instance: Instance, changes: Pending, immediately: boolean): boolean {
  if (Object.keys(instance.pending).length === 0) return false;
  // A password is never queued.
  return immediately || (changes.masterPassword !== undefined && onlyPassword(instance.pending));
}

function onlyPassword(pending: Pending): boolean {
  return Object.keys(pending).every((key) => key === 'masterPassword');
}

/** What differs from what is so already. */
function pendingChanges(instance: Instance, input: ModifyDBInstanceMessage): Pending {
  const { AllocatedStorage: storage, BackupRetentionPeriod: retention } = input;
  if (storage !== undefined && storage < instance.storage) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      `Requested AllocatedStorage ${storage} is less than the current ${instance.storage}`,
    );
  }
  if (retention !== undefined) checkRetention(retention);
  if (input.EngineVersion !== undefined) familyOf(instance.engine, input.EngineVersion);
  const asked: { [K in keyof Pending]: Pending[K] | undefined } = {
    class: differing(input.DBInstanceClass, instance.class),
    storage: differing(storage, instance.storage),
    storageType: differing(input.StorageType, instance.storageType),
    iops: differing(input.Iops, instance.iops),
    version: differing(input.EngineVersion, instance.version),
    retention: differing(retention, instance.retention),
    multiAz: differing(input.MultiAZ, instance.multiAz),
    masterPassword:
      input.MasterUserPassword === undefined ? undefined : checkPassword(input.MasterUserPassword),
  };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

function differing<T>(asked: T | undefined, now: T | null): T | undefined {
  return asked === now ? undefined : asked;
}

export async function rebootInstance(
  rds: Rds,
  tasks: RdsTasks,
  input: RebootDBInstanceMessage,
  failing: boolean,
): Promise<RebootDBInstanceResult> {
  const instance = findInstance(rds, input.DBInstanceIdentifier ?? '');
  requireAvailable(instance);
  if (input.ForceFailover === true && !instance.multiAz) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      'ForceFailover cannot be used for a Single-AZ instance',
    );
  }
  instance.status = 'rebooting';
  instance.task = 'reboot';
  instance.failing = failing;
  await rds.store.save();
  tasks.start(instance);
  return { DBInstance: describeInstance(rds, instance) };
}

export async function deleteInstance(
  rds: Rds,
  tasks: RdsTasks,
  input: DeleteDBInstanceMessage,
): Promise<DeleteDBInstanceResult> {
  const instance = findInstance(rds, input.DBInstanceIdentifier ?? '');
  if (instance.deletionProtection) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      'Cannot delete protected DB Instance, please disable deletion protection and try again.',
    );
  }
  if (input.SkipFinalSnapshot !== true && input.FinalDBSnapshotIdentifier === undefined) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      'FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.',
    );
  }
  if (instance.task !== null) {
    throw new QueryFailure(
      'InvalidDBInstanceState',
      `Instance ${instance.id} is currently ${instance.status}.`,
    );
  }
  instance.status = 'deleting';
  instance.task = 'delete';
  await rds.store.save();
  tasks.start(instance);
  return { DBInstance: describeInstance(rds, instance) };
}

export function requireAvailable({ id, status }: Instance): void {
  if (status !== 'available') {
    throw new QueryFailure(
      'InvalidDBInstanceState',
      `Database instance ${id} is not in available state: it is ${status}.`,
    );
  }
}

function checkFamily(rds: Rds, group: string, family: string): void {
  const found = findGroup(rds, 'instance', group);
  if (found.family !== family) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      `The parameter group ${group} with DBParameterGroupFamily ${found.family} can't be used for this instance. ` +
        `Use a parameter group with DBParameterGroupFamily ${family}.`,
    );
  }
}

function checkRetention(days: number): number {
  if (!Number.isInteger(days) || days < 0 || days > 35) {
    throw new QueryFailure(
      'InvalidParameterValue',
      `Invalid backup retention period: ${days}. Must be between 0 and 35.`,
    );
  }
  return days;
}

export function checkIdentifier(parameter: string, name: string, length: number): void {
  const wellFormed = /^[a-z](-?[a-z0-9])*$/.test(name) && name.length <= length;
  if (!wellFormed) {
    throw new QueryFailure(
      'InvalidParameterValue',
      `The parameter ${parameter} is not a valid identifier. Identifiers must begin with a letter; ` +
        'must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.',
    );
  }
}

/** For members that the schema leaves optional and the operation does not. */
export function required<T>(parameter: string, value: T | undefined): T {
  if (value === undefined) {
    throw new QueryFailure(
      'MissingParameter',
      `The request must contain the parameter ${parameter}.`,
    );
  }
  return value;
}

/** Real members that this sandbox would not act on: said aloud rather than swallowed. */
export function refuseUnsupported(input: object, supported: ReadonlySet<string>): void {
  const stranger = Object.keys(input).find((name) => !supported.has(name));
  if (stranger !== undefined) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      `the sandbox does nothing with ${stranger}`,
    );
  }
}
