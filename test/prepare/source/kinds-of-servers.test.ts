import type { DBInstance } from '@aws-sdk/client-rds';
import { expect, test } from 'vitest';
import type { RdsView } from '../../../src/clouds/aws/rds.ts';
import { kindFindings } from '../../../src/prepare/source/findings.ts';
import type { RdsSource } from '../../../src/prepare/source/source.ts';

/** As DescribeDBInstances answers; only what the check reads. */
function look(instance: DBInstance, kind: 'rds-mysql' | 'aurora-mysql' = 'rds-mysql') {
  const source = { server: { scope: 'instance', id: 'shop' }, config: { kind } };
  const view = { instance, cluster: null, status: instance.DBInstanceStatus ?? 'available' };
  return kindFindings(source as unknown as RdsSource, view as unknown as RdsView).map(
    ({ code, severity }) => [code, severity],
  );
}

test.each<[string, DBInstance, string[][]]>([
  ['an instance', { Engine: 'mysql' }, []],
  ['a Multi-AZ instance', { Engine: 'mysql', MultiAZ: true }, []],
  [
    'a node of a Multi-AZ DB cluster',
    { Engine: 'mysql', DBClusterIdentifier: 'shop' },
    [['rds-multi-az-cluster', 'blocker']],
  ],
  [
    'an instance of an Aurora cluster',
    { Engine: 'aurora-mysql', DBClusterIdentifier: 'shop' },
    [['rds-engine', 'blocker']],
  ],
  ['another engine', { Engine: 'mariadb' }, [['rds-engine', 'blocker']]],
  [
    'a read replica',
    { Engine: 'mysql', ReadReplicaSourceDBInstanceIdentifier: 'main' },
    [['rds-read-replica', 'blocker']],
  ],
  [
    'one that is stopped',
    { Engine: 'mysql', DBInstanceStatus: 'stopped' },
    [['rds-status', 'blocker']],
  ],
])('%s', (_what, instance, findings) => {
  expect(look(instance)).toEqual(findings);
});
