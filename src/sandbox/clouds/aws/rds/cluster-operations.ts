import type {
  CopyDBClusterParameterGroupMessage,
  CreateDBClusterMessage,
  CreateDBClusterParameterGroupMessage,
  DeleteDBClusterMessage,
  DeleteDBClusterParameterGroupMessage,
  DescribeDBClusterParameterGroupsMessage,
  DescribeDBClusterParametersMessage,
  DescribeDBClustersMessage,
  ModifyDBClusterMessage,
  ModifyDBClusterParameterGroupMessage,
  ResetDBClusterParameterGroupMessage,
  DBClusterParameterGroup,
} from '@aws-sdk/client-rds';
import { createCluster, deleteCluster, describeClusters, modifyCluster } from './clusters.ts';
import type { Operation } from './operation.ts';
import { nameOf, on } from './operation.ts';
import { page } from './paging.ts';
import { listParameters, modifyGroup, resetGroup } from './group-parameters.ts';
import type { NamedGroup } from './parameter-groups.ts';
import { copyGroup, createGroup, deleteGroup, listGroups } from './parameter-groups.ts';
import type { Rds } from './state.ts';
import { arn } from './state.ts';
import { setTags } from './tags.ts';

/** Aurora: clusters and their parameter groups. */
export const clusterOperations: Record<string, Operation> = {
  DescribeDBClusters: on<DescribeDBClustersMessage>(
    'cluster',
    (input) => input.DBClusterIdentifier,
    ({ rds }, input) => describeClusters(rds, input),
  ),
  CreateDBCluster: on<CreateDBClusterMessage>(
    'cluster',
    (input) => input.DBClusterIdentifier,
    ({ rds }, input) => ({ DBCluster: createCluster(rds, input) }),
  ),
  ModifyDBCluster: on<ModifyDBClusterMessage>(
    'cluster',
    (input) => input.DBClusterIdentifier,
    ({ rds }, input) => ({ DBCluster: modifyCluster(rds, input) }),
    (rds, { DBClusterParameterGroupName: group }) =>
      group === undefined ? [] : [arn(rds, 'cluster-pg', group)],
  ),
  DeleteDBCluster: on<DeleteDBClusterMessage>(
    'cluster',
    (input) => input.DBClusterIdentifier,
    ({ rds }, input) => ({ DBCluster: deleteCluster(rds, input.DBClusterIdentifier ?? '') }),
  ),
  DescribeDBClusterParameterGroups: on<DescribeDBClusterParameterGroupsMessage>(
    'cluster-pg',
    (input) => input.DBClusterParameterGroupName,
    ({ rds }, input) => {
      const groups = listGroups(rds, 'cluster', input.DBClusterParameterGroupName);
      const { items, ...more } = page(groups, input);
      const described = items.map((group) => describeClusterGroup(rds, group));
      return { DBClusterParameterGroups: described, ...more };
    },
  ),
  DescribeDBClusterParameters: on<DescribeDBClusterParametersMessage>(
    'cluster-pg',
    (input) => input.DBClusterParameterGroupName,
    ({ rds }, input) =>
      listParameters(rds, 'cluster', input.DBClusterParameterGroupName ?? '', input),
  ),
  CreateDBClusterParameterGroup: on<CreateDBClusterParameterGroupMessage>(
    'cluster-pg',
    (input) => input.DBClusterParameterGroupName,
    ({ rds }, input) => {
      const group = createGroup(rds, 'cluster', input.DBClusterParameterGroupName ?? '', {
        family: input.DBParameterGroupFamily ?? '',
        description: input.Description ?? '',
      });
      setTags(rds, arn(rds, 'cluster-pg', group.name), input.Tags);
      return { DBClusterParameterGroup: describeClusterGroup(rds, group) };
    },
  ),
  CopyDBClusterParameterGroup: on<CopyDBClusterParameterGroupMessage>(
    'cluster-pg',
    (input) => input.TargetDBClusterParameterGroupIdentifier,
    ({ rds }, input) => {
      const group = copyGroup(
        rds,
        'cluster',
        nameOf(input.SourceDBClusterParameterGroupIdentifier),
        input.TargetDBClusterParameterGroupIdentifier ?? '',
        input.TargetDBClusterParameterGroupDescription ?? '',
      );
      setTags(rds, arn(rds, 'cluster-pg', group.name), input.Tags);
      return { DBClusterParameterGroup: describeClusterGroup(rds, group) };
    },
    (rds, input) => [arn(rds, 'cluster-pg', nameOf(input.SourceDBClusterParameterGroupIdentifier))],
  ),
  ModifyDBClusterParameterGroup: on<ModifyDBClusterParameterGroupMessage>(
    'cluster-pg',
    (input) => input.DBClusterParameterGroupName,
    ({ rds, tasks }, { DBClusterParameterGroupName: name = '', Parameters = [] }) => {
      modifyGroup(rds, tasks, 'cluster', name, Parameters);
      return { DBClusterParameterGroupName: name.toLowerCase() };
    },
  ),
  ResetDBClusterParameterGroup: on<ResetDBClusterParameterGroupMessage>(
    'cluster-pg',
    (input) => input.DBClusterParameterGroupName,
    ({ rds, tasks }, input) => {
      const { DBClusterParameterGroupName: name = '', Parameters = [] } = input;
      const all = input.ResetAllParameters ?? false;
      resetGroup(rds, tasks, 'cluster', name, { all, parameters: Parameters });
      return { DBClusterParameterGroupName: name.toLowerCase() };
    },
  ),
  DeleteDBClusterParameterGroup: on<DeleteDBClusterParameterGroupMessage>(
    'cluster-pg',
    (input) => input.DBClusterParameterGroupName,
    ({ rds }, input) => deleteGroup(rds, 'cluster', input.DBClusterParameterGroupName ?? ''),
  ),
};

function describeClusterGroup(
  rds: Rds,
  { name, family, description }: NamedGroup,
): DBClusterParameterGroup {
  return {
    DBClusterParameterGroupName: name,
    DBParameterGroupFamily: family,
    Description: description,
    DBClusterParameterGroupArn: arn(rds, 'cluster-pg', name),
  };
}
