import type { DBInstance, PendingModifiedValues } from '@aws-sdk/client-rds';
import { hostName, serverId } from './server.ts';
import { applyStatus } from './server-values.ts';
import type { Instance, Pending, Rds } from './state.ts';
import { arn, replicasOf } from './state.ts';
import { tagList } from './tags.ts';

/** As DescribeDBInstances and every change of an instance answer it. */
export function describeInstance(rds: Rds, instance: Instance): DBInstance {
  const { context } = rds;
  const made = instance.status !== 'creating' && context.servers.has(serverId(instance));
  return {
    DBInstanceIdentifier: instance.id,
    DBInstanceArn: arn(rds, 'db', instance.id),
    DbiResourceId: `db-${instance.id.toUpperCase().replaceAll('-', '')}`,
    DBInstanceClass: instance.class,
    Engine: instance.engine,
    EngineVersion: instance.version,
    DBInstanceStatus: instance.status,
    MasterUsername: instance.masterUser,
    ...(instance.database !== null && { DBName: instance.database }),
    ...(made && {
      Endpoint: { Address: hostName(rds, instance.id), Port: context.servers.port },
    }),
    AllocatedStorage: instance.storage,
    StorageType: instance.storageType,
    ...(instance.iops !== null && { Iops: instance.iops }),
    StorageEncrypted: true,
    InstanceCreateTime: new Date(instance.createdAt),
    BackupRetentionPeriod: instance.retention,
    PreferredBackupWindow: instance.backupWindow,
    PreferredMaintenanceWindow: instance.maintenanceWindow,
    DBParameterGroups: [
      {
        DBParameterGroupName: instance.group,
        ParameterApplyStatus: applyStatus(rds, instance, 'instance'),
      },
    ],
    AvailabilityZone: `${context.region}a`,
    MultiAZ: instance.multiAz,
    AutoMinorVersionUpgrade: true,
    PubliclyAccessible: instance.public,
    CACertificateIdentifier: instance.caCertificate,
    DeletionProtection: instance.deletionProtection,
    IAMDatabaseAuthenticationEnabled: instance.iamAuthentication,
    PendingModifiedValues: describePending(instance.pending),
    ReadReplicaDBInstanceIdentifiers: replicasOf(rds, instance).map(({ id }) => id),
    ...(instance.source !== null && { ReadReplicaSourceDBInstanceIdentifier: instance.source }),
    ...(instance.cluster !== null && { DBClusterIdentifier: instance.cluster }),
    TagList: tagList(rds, arn(rds, 'db', instance.id)),
  };
}

function describePending(pending: Pending): PendingModifiedValues {
  return {
    ...(pending.class !== undefined && { DBInstanceClass: pending.class }),
    ...(pending.storage !== undefined && { AllocatedStorage: pending.storage }),
    ...(pending.storageType !== undefined && { StorageType: pending.storageType }),
    ...(pending.iops !== undefined && { Iops: pending.iops }),
    ...(pending.version !== undefined && { EngineVersion: pending.version }),
    ...(pending.retention !== undefined && { BackupRetentionPeriod: pending.retention }),
    ...(pending.multiAz !== undefined && { MultiAZ: pending.multiAz }),
    ...(pending.masterPassword !== undefined && { MasterUserPassword: '****' }),
  };
}
