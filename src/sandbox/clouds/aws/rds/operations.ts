import type {
  AddTagsToResourceMessage,
  CopyDBParameterGroupMessage,
  CreateDBInstanceMessage,
  CreateDBInstanceReadReplicaMessage,
  CreateDBParameterGroupMessage,
  CreateDBProxyRequest,
  DBParameterGroup,
  DeleteDBInstanceMessage,
  DeleteDBParameterGroupMessage,
  DescribeDBInstancesMessage,
  DescribeDBParameterGroupsMessage,
  DescribeDBParametersMessage,
  DescribeDBProxiesRequest,
  DescribeDBProxyTargetsRequest,
  DescribePendingMaintenanceActionsMessage,
  ListTagsForResourceMessage,
  ModifyDBInstanceMessage,
  ModifyDBParameterGroupMessage,
  RebootDBInstanceMessage,
  RegisterDBProxyTargetsRequest,
  ResetDBParameterGroupMessage,
} from '@aws-sdk/client-rds';
import { clusterOperations } from './cluster-operations.ts';
import { createInstance } from './create-instance.ts';
import { deleteInstance, describeInstances, rebootInstance } from './instances.ts';
import { modifyInstance } from './modify-instance.ts';
import type { Operation } from './operation.ts';
import { nameOf, on } from './operation.ts';
import { page } from './paging.ts';
import { listParameters, modifyGroup, resetGroup } from './group-parameters.ts';
import type { NamedGroup } from './parameter-groups.ts';
import { copyGroup, createGroup, deleteGroup, listGroups } from './parameter-groups.ts';
import { createProxy, describeProxies, describeTargets, registerTargets } from './proxies.ts';
import type { Rds } from './state.ts';
import { arn, findInstance } from './state.ts';
import { createReplica } from './read-replicas.ts';
import { addTags, listTags, setTags } from './tags.ts';

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
