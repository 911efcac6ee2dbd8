import type {
  CreateDBInstanceReadReplicaMessage,
  CreateDBInstanceReadReplicaResult,
} from '@aws-sdk/client-rds';
import { describeInstance } from './describe-instance.ts';
import {
  checkIdentifier,
  refuseUnsupported,
  required,
  requireAvailable,
} from './instance-checks.ts';
import { QueryFailure } from '../query-protocol.ts';
import type { Instance, Rds } from './state.ts';
import { findInstance } from './state.ts';

const supported = new Set([
  'DBInstanceIdentifier',
  'SourceDBInstanceIdentifier',
  'DBInstanceClass',
]);

/** There to be listed with its source: the only instance of the sandbox without a server. */
export function createReplica(
  rds: Rds,
  input: CreateDBInstanceReadReplicaMessage,
): CreateDBInstanceReadReplicaResult {
  refuseUnsupported(input, supported);
  const id = (input.DBInstanceIdentifier ?? '').toLowerCase();
  checkIdentifier('DBInstanceIdentifier', id, 63);
  const { instances } = rds.store.value;
  if (Object.hasOwn(instances, id)) {
    throw new QueryFailure('DBInstanceAlreadyExists', 'DB instance already exists');
  }
  const source = findInstance(
    rds,
    required('SourceDBInstanceIdentifier', input.SourceDBInstanceIdentifier),
  );
  requireAvailable(source);
  if (source.retention === 0) {
    throw new QueryFailure(
      'InvalidDBInstanceState',
      'Automated backups are not enabled for this database instance.',
    );
  }
  const replica: Instance = {
    ...structuredClone(source),
    id,
    class: input.DBInstanceClass ?? source.class,
    source: source.id,
    retention: 0,
    createdAt: new Date().toISOString(),
    pending: {},
  };
  instances[id] = replica;
  return { DBInstance: { ...describeInstance(rds, replica), DBInstanceStatus: 'creating' } };
}
