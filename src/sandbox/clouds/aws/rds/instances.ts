import type {
  DBInstanceMessage,
  DeleteDBInstanceMessage,
  DeleteDBInstanceResult,
  DescribeDBInstancesMessage,
  RebootDBInstanceMessage,
  RebootDBInstanceResult,
} from '@aws-sdk/client-rds';
import { describeInstance } from './describe-instance.ts';
import { requireAvailable } from './instance-checks.ts';
import { filtered, page } from './paging.ts';
import { QueryFailure } from '../query-protocol.ts';
import type { Rds } from './state.ts';
import { findInstance } from './state.ts';
import type { RdsTasks } from './tasks.ts';

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
