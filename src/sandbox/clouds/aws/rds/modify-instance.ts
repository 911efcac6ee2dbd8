import type { ModifyDBInstanceMessage, ModifyDBInstanceResult } from '@aws-sdk/client-rds';
import { describeInstance } from './describe-instance.ts';
import {
  checkFamily,
  checkPassword,
  checkRetention,
  refuseUnsupported,
  requireAvailable,
} from './instance-checks.ts';
import { QueryFailure } from '../query-protocol.ts';
import type { Instance, Pending, Rds } from './state.ts';
import { familyOf, findInstance } from './state.ts';
import type { RdsTasks } from './tasks.ts';

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
