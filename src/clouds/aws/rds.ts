import type { DBCluster, DBInstance, RDSClient } from '@aws-sdk/client-rds';
import type { Address } from '../../mysql/endpoint.ts';
import { askAws, isAwsError } from './errors.ts';

/** An instance of RDS, or an Aurora cluster by its writer. */
export interface RdsServer {
  readonly scope: 'instance' | 'cluster';
  /** The instance's name, or the cluster's. */
  readonly id: string;
}

export interface RdsView {
  /** Of a cluster its writer. */
  readonly instance: DBInstance;
  /** Aurora's. */
  readonly cluster: DBCluster | null;
  readonly address: Address | null;
  /** `available`, `rebooting`, …; of a cluster its writer's. */
  readonly status: string;
  readonly parameterGroup: string;
  /** `in-sync`, `pending-reboot`, `applying`. */
  readonly applyStatus: string;
  /** Changes that wait for a maintenance window or for anybody's ApplyImmediately; one line each. */
  readonly pending: readonly string[];
}

/** Instances and clusters of one region: one method for each question or order. Throws CLOUD_… failures. */
export class RdsApi {
  readonly #client: RDSClient;

  constructor(client: RDSClient) {
    this.#client = client;
  }

  /** Null: there is none of that name. */
  async view(server: RdsServer, signal: AbortSignal): Promise<RdsView | null> {
    if (server.scope === 'instance') {
      const instance = await this.instance(server.id, signal);
      return instance === null ? null : instanceView(instance);
    }
    const cluster = await this.cluster(server.id, signal);
    const writer = cluster?.DBClusterMembers?.find(({ IsClusterWriter }) => IsClusterWriter);
    if (cluster === null || writer?.DBInstanceIdentifier === undefined) return null;
    const instance = await this.instance(writer.DBInstanceIdentifier, signal);
    if (instance === null) return null;
    return {
      ...instanceView(instance),
      cluster,
      address: addressOf(cluster.Endpoint, cluster.Port),
      parameterGroup: cluster.DBClusterParameterGroup ?? '',
      applyStatus: writer.DBClusterParameterGroupStatus ?? 'unknown',
      pending: [...pendingLines(instance), ...pendingLines(cluster)],
    };
  }

  async instance(id: string, signal: AbortSignal): Promise<DBInstance | null> {
    const { DescribeDBInstancesCommand } = await import('@aws-sdk/client-rds');
    const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: id });
    return await askAws(`describing the instance ${id}`, signal, async (options) => {
      const answer = await orNull('DBInstanceNotFound', this.#client.send(command, options));
      return answer?.DBInstances?.[0] ?? null;
    });
  }

  async cluster(id: string, signal: AbortSignal): Promise<DBCluster | null> {
    const { DescribeDBClustersCommand } = await import('@aws-sdk/client-rds');
    const command = new DescribeDBClustersCommand({ DBClusterIdentifier: id });
    return await askAws(`describing the cluster ${id}`, signal, async (options) => {
      const answer = await orNull('DBClusterNotFound', this.#client.send(command, options));
      return answer?.DBClusters?.[0] ?? null;
    });
  }

  /** Everything in the region: who else uses a parameter group is told by nothing else. */
  async membersOf(group: string, { scope }: RdsServer, signal: AbortSignal): Promise<string[]> {
    const { paginateDescribeDBClusters, paginateDescribeDBInstances } =
      await import('@aws-sdk/client-rds');
    const doing = `looking which servers use the parameter group ${group}`;
    return await askAws(doing, signal, async () => {
      const client = this.#client;
      const members: string[] = [];
      if (scope === 'instance') {
        for await (const { DBInstances } of paginateDescribeDBInstances({ client }, {})) {
          for (const { DBInstanceIdentifier, DBParameterGroups = [] } of DBInstances ?? []) {
            const uses = DBParameterGroups.some((one) => one.DBParameterGroupName === group);
            if (uses && DBInstanceIdentifier !== undefined) members.push(DBInstanceIdentifier);
          }
        }
        return members;
      }
      for await (const { DBClusters } of paginateDescribeDBClusters({ client }, {})) {
        for (const { DBClusterIdentifier, DBClusterParameterGroup } of DBClusters ?? []) {
          if (DBClusterParameterGroup === group && DBClusterIdentifier !== undefined) {
            members.push(DBClusterIdentifier);
          }
        }
      }
      return members;
    });
  }

  /** Names of the RDS Proxies whose targets include the server. */
  async proxiesOf({ scope, id }: RdsServer, signal: AbortSignal): Promise<string[]> {
    const { DescribeDBProxyTargetsCommand, paginateDescribeDBProxies } =
      await import('@aws-sdk/client-rds');
    return await askAws('listing the RDS Proxies', signal, async (options) => {
      const found: string[] = [];
      for await (const { DBProxies } of paginateDescribeDBProxies({ client: this.#client }, {})) {
        for (const { DBProxyName } of DBProxies ?? []) {
          const command = new DescribeDBProxyTargetsCommand({ DBProxyName });
          const { Targets = [] } = await this.#client.send(command, options);
          const type = scope === 'instance' ? 'RDS_INSTANCE' : 'TRACKED_CLUSTER';
          const ours = Targets.some((one) => one.Type === type && one.RdsResourceId === id);
          if (ours && DBProxyName !== undefined) found.push(DBProxyName);
        }
      }
      return found;
    });
  }

  /** What AWS itself means to do to it, one line each. */
  async maintenance(arn: string, signal: AbortSignal): Promise<string[]> {
    const { DescribePendingMaintenanceActionsCommand } = await import('@aws-sdk/client-rds');
    const command = new DescribePendingMaintenanceActionsCommand({ ResourceIdentifier: arn });
    return await askAws('asking for pending maintenance', signal, async (options) => {
      const { PendingMaintenanceActions = [] } = await this.#client.send(command, options);
      return PendingMaintenanceActions.flatMap(({ PendingMaintenanceActionDetails = [] }) =>
        PendingMaintenanceActionDetails.map(({ Action, CurrentApplyDate, Description }) => {
          const when = CurrentApplyDate?.toISOString() ?? 'no date yet';
          return `${Action ?? '?'} (${Description ?? 'not described'}; ${when})`;
        }),
      );
    });
  }

  /** Applies every change that is queued, too: RDS has no way to apply one alone. */
  async setBackupRetention(id: string, days: number, signal: AbortSignal): Promise<void> {
    const { ModifyDBInstanceCommand } = await import('@aws-sdk/client-rds');
    const command = new ModifyDBInstanceCommand({
      DBInstanceIdentifier: id,
      BackupRetentionPeriod: days,
      ApplyImmediately: true,
    });
    await askAws(`turning on the backups of ${id}`, signal, (options) =>
      this.#client.send(command, options),
    );
  }

  /** The name changes at once, its values come with the next reboot; nothing that is queued goes along. */
  async attachGroup({ scope, id }: RdsServer, group: string, signal: AbortSignal): Promise<void> {
    const { ModifyDBClusterCommand, ModifyDBInstanceCommand } = await import('@aws-sdk/client-rds');
    await askAws(`attaching the parameter group ${group} to ${id}`, signal, async (options) => {
      if (scope === 'instance') {
        const input = { DBInstanceIdentifier: id, DBParameterGroupName: group };
        await this.#client.send(new ModifyDBInstanceCommand(input), options);
      } else {
        const input = { DBClusterIdentifier: id, DBClusterParameterGroupName: group };
        await this.#client.send(new ModifyDBClusterCommand(input), options);
      }
    });
  }

  async reboot(instance: string, signal: AbortSignal): Promise<void> {
    const { RebootDBInstanceCommand } = await import('@aws-sdk/client-rds');
    const command = new RebootDBInstanceCommand({ DBInstanceIdentifier: instance });
    await askAws(`rebooting ${instance}`, signal, (options) => this.#client.send(command, options));
  }
}

function instanceView(instance: DBInstance): RdsView {
  const [group] = instance.DBParameterGroups ?? [];
  return {
    instance,
    cluster: null,
    address: addressOf(instance.Endpoint?.Address, instance.Endpoint?.Port),
    status: instance.DBInstanceStatus ?? 'unknown',
    parameterGroup: group?.DBParameterGroupName ?? '',
    applyStatus: group?.ParameterApplyStatus ?? 'unknown',
    pending: pendingLines(instance),
  };
}

function addressOf(host: string | undefined, port: number | undefined): Address | null {
  return host === undefined || port === undefined ? null : { host, port };
}

function pendingLines({ PendingModifiedValues }: DBInstance | DBCluster): string[] {
  return Object.entries(PendingModifiedValues ?? {}).flatMap(([name, value]) => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    if (name.includes('Password')) return [name];
    return [`${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`];
  });
}

async function orNull<T>(code: string, answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isAwsError(error, code)) return null;
    throw error;
  }
}
