import type {
  AddTagsToResourceMessage,
  CopyDBClusterParameterGroupMessage,
  CopyDBParameterGroupMessage,
  CreateDBClusterMessage,
  CreateDBClusterParameterGroupMessage,
  CreateDBInstanceMessage,
  CreateDBInstanceReadReplicaMessage,
  CreateDBParameterGroupMessage,
  CreateDBProxyRequest,
  DBClusterParameterGroup,
  DBParameterGroup,
  DeleteDBClusterMessage,
  DeleteDBClusterParameterGroupMessage,
  DeleteDBInstanceMessage,
  DeleteDBParameterGroupMessage,
  DescribeDBClusterParameterGroupsMessage,
  DescribeDBClusterParametersMessage,
  DescribeDBClustersMessage,
  DescribeDBInstancesMessage,
  DescribeDBParameterGroupsMessage,
  DescribeDBParametersMessage,
  DescribeDBProxiesRequest,
  DescribeDBProxyTargetsRequest,
  DescribePendingMaintenanceActionsMessage,
  ListTagsForResourceMessage,
  ModifyDBClusterMessage,
  ModifyDBClusterParameterGroupMessage,
  ModifyDBInstanceMessage,
  ModifyDBParameterGroupMessage,
  RebootDBInstanceMessage,
  RegisterDBProxyTargetsRequest,
  ResetDBClusterParameterGroupMessage,
  ResetDBParameterGroupMessage,
} from '@aws-sdk/client-rds';
import { createCluster, deleteCluster, describeClusters, modifyCluster } from './clusters.ts';
import {
  createInstance,
  deleteInstance,
  describeInstances,
  modifyInstance,
  rebootInstance,
} from './instances.ts';
import { page } from './paging.ts';
import {
  copyGroup,
  createGroup,
  deleteGroup,
  listGroups,
  listParameters,
  modifyGroup,
  resetGroup,
} from './parameter-groups.ts';
import type { NamedGroup } from './parameter-groups.ts';
import { createProxy, describeProxies, describeTargets, registerTargets } from './proxies.ts';
import { createReplica } from './read-replicas.ts';
import { arn, findInstance } from './rds-state.ts';
import type { Rds, ResourceKind } from './rds-state.ts';
import type { RdsTasks } from './rds-tasks.ts';
import { addTags, listTags, setTags } from './tags.ts';

interface Call {
  readonly rds: Rds;
  readonly tasks: RdsTasks;
  /** Accepted, but it is to come to nothing. */
  readonly failing: boolean;
}

interface Operation {
  /** ARNs that the caller needs the action's permission on. */
  resources(rds: Rds, input: unknown): string[];
  run(call: Call, input: unknown): unknown;
}

/** The input was held to the package's schema of exactly that type before it comes here. */
function on<I>(
  kind: ResourceKind,
  name: (input: I) => string | undefined,
  run: (call: Call, input: I) => unknown,
  others: (rds: Rds, input: I) => string[] = () => [],
): Operation {
  return {
    resources: (rds, input) => [
      arn(rds, kind, name(input as I) ?? '*'),
      ...others(rds, input as I),
    ],
    run: (call, input) => run(call, input as I),
  };
}

const instanceOperations: Record<string, Operation> = {
  DescribeDBInstances: on<DescribeDBInstancesMessage>(
    'db',
    (input) => input.DBInstanceIdentifier,
    ({ rds }, input) => describeInstances(rds, input),
  ),
  CreateDBInstance: on<CreateDBInstanceMessage>(
    'db',
    (input) => input.DBInstanceIdentifier,
    ({ rds, tasks, failing }, input) => createInstance(rds, tasks, input, failing),
  ),
  ModifyDBInstance: on<ModifyDBInstanceMessage>(
    'db',
    (input) => input.DBInstanceIdentifier,
    ({ rds, tasks, failing }, input) => modifyInstance(rds, tasks, input, failing),
    (rds, { DBParameterGroupName: group }) => (group === undefined ? [] : [arn(rds, 'pg', group)]),
  ),
  RebootDBInstance: on<RebootDBInstanceMessage>(
    'db',
    (input) => input.DBInstanceIdentifier,
    ({ rds, tasks, failing }, input) => rebootInstance(rds, tasks, input, failing),
  ),
  DeleteDBInstance: on<DeleteDBInstanceMessage>(
    'db',
    (input) => input.DBInstanceIdentifier,
    ({ rds, tasks }, input) => deleteInstance(rds, tasks, input),
  ),
};

const groupOperations: Record<string, Operation> = {
  DescribeDBParameterGroups: on<DescribeDBParameterGroupsMessage>(
    'pg',
    (input) => input.DBParameterGroupName,
    ({ rds }, input) => {
      const { items, ...more } = page(
        listGroups(rds, 'instance', input.DBParameterGroupName),
        input,
      );
      return { DBParameterGroups: items.map((group) => describeGroup(rds, group)), ...more };
    },
  ),
  DescribeDBParameters: on<DescribeDBParametersMessage>(
    'pg',
    (input) => input.DBParameterGroupName,
    ({ rds }, input) => listParameters(rds, 'instance', input.DBParameterGroupName ?? '', input),
  ),
  CreateDBParameterGroup: on<CreateDBParameterGroupMessage>(
    'pg',
    (input) => input.DBParameterGroupName,
    ({ rds }, input) => {
      const group = createGroup(rds, 'instance', input.DBParameterGroupName ?? '', {
        family: input.DBParameterGroupFamily ?? '',
        description: input.Description ?? '',
      });
      setTags(rds, arn(rds, 'pg', group.name), input.Tags);
      return { DBParameterGroup: describeGroup(rds, group) };
    },
  ),
  CopyDBParameterGroup: on<CopyDBParameterGroupMessage>(
    'pg',
    (input) => input.TargetDBParameterGroupIdentifier,
    ({ rds }, input) => {
      const group = copyGroup(
        rds,
        'instance',
        nameOf(input.SourceDBParameterGroupIdentifier),
        input.TargetDBParameterGroupIdentifier ?? '',
        input.TargetDBParameterGroupDescription ?? '',
      );
      setTags(rds, arn(rds, 'pg', group.name), input.Tags);
      return { DBParameterGroup: describeGroup(rds, group) };
    },
    (rds, input) => [arn(rds, 'pg', nameOf(input.SourceDBParameterGroupIdentifier))],
  ),
  ModifyDBParameterGroup: on<ModifyDBParameterGroupMessage>(
    'pg',
    (input) => input.DBParameterGroupName,
    ({ rds, tasks }, { DBParameterGroupName: name = '', Parameters = [] }) => {
      modifyGroup(rds, tasks, 'instance', name, Parameters);
      return { DBParameterGroupName: name.toLowerCase() };
    },
  ),
  ResetDBParameterGroup: on<ResetDBParameterGroupMessage>(
    'pg',
    (input) => input.DBParameterGroupName,
    ({ rds, tasks }, { DBParameterGroupName: name = '', ResetAllParameters, Parameters = [] }) => {
      const all = ResetAllParameters ?? false;
      resetGroup(rds, tasks, 'instance', name, { all, parameters: Parameters });
      return { DBParameterGroupName: name.toLowerCase() };
    },
  ),
  DeleteDBParameterGroup: on<DeleteDBParameterGroupMessage>(
    'pg',
    (input) => input.DBParameterGroupName,
    ({ rds }, input) => deleteGroup(rds, 'instance', input.DBParameterGroupName ?? ''),
  ),
};

const clusterOperations: Record<string, Operation> = {
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

/** By action. */
export const operations: Readonly<Record<string, Operation>> = {
  ...instanceOperations,
  ...groupOperations,
  ...clusterOperations,
  CreateDBInstanceReadReplica: on<CreateDBInstanceReadReplicaMessage>(
    'db',
    (input) => input.DBInstanceIdentifier,
    ({ rds }, input) => createReplica(rds, input),
  ),
  CreateDBProxy: on<CreateDBProxyRequest>(
    'db-proxy',
    (input) => input.DBProxyName,
    ({ rds }, input) => createProxy(rds, input),
  ),
  RegisterDBProxyTargets: on<RegisterDBProxyTargetsRequest>(
    'db-proxy',
    (input) => input.DBProxyName,
    ({ rds }, input) => registerTargets(rds, input),
  ),
  DescribeDBProxyTargets: on<DescribeDBProxyTargetsRequest>(
    'db-proxy',
    (input) => input.DBProxyName,
    ({ rds }, input) => describeTargets(rds, input),
  ),
  DescribeDBProxies: on<DescribeDBProxiesRequest>(
    'db-proxy',
    (input) => input.DBProxyName,
    ({ rds }, input) => describeProxies(rds, input),
  ),
  DescribePendingMaintenanceActions: on<DescribePendingMaintenanceActionsMessage>(
    'db',
    () => undefined,
    // No instance of the sandbox needs any; an unknown one is refused all the same.
    ({ rds }, { ResourceIdentifier }) => {
      if (ResourceIdentifier !== undefined)
        findInstance(rds, ResourceIdentifier.replace(/^.*:/, ''));
      return { PendingMaintenanceActions: [] };
    },
  ),
  AddTagsToResource: {
    resources: (_, input) => [(input as AddTagsToResourceMessage).ResourceName ?? ''],
    run: ({ rds }, input) => addTags(rds, input as AddTagsToResourceMessage),
  },
  ListTagsForResource: {
    resources: (_, input) => [(input as ListTagsForResourceMessage).ResourceName ?? ''],
    run: ({ rds }, input) => listTags(rds, input as ListTagsForResourceMessage),
  },
};

function describeGroup(rds: Rds, { name, family, description }: NamedGroup): DBParameterGroup {
  return {
    DBParameterGroupName: name,
    DBParameterGroupFamily: family,
    Description: description,
    DBParameterGroupArn: arn(rds, 'pg', name),
  };
}

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

/** A group is named, or by its ARN. */
function nameOf(identifier: string | undefined): string {
  return (identifier ?? '').replace(/^arn:.*:/, '');
}
