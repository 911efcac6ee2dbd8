import type { Configuration, FirewallRule, Server } from '@azure/arm-mysql-flexible';
import { askAzure, isAzureNotFound } from './errors.ts';
import type { Operation, ServerId, Waiting } from './operations.ts';
import { awaitOperation, beginOperation } from './operations.ts';

/** A server as its control plane describes it, without what nobody here asks for. */
export interface ServerView {
  readonly host: string;
  /** `Ready`, `Updating`, `Creating`, …: more values than the SDK's list has. */
  readonly state: string;
  readonly location: string;
  readonly version: string;
  readonly sku: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageGb: number;
  readonly iops: number | null;
  readonly autoGrow: boolean;
  /** `Disabled`, `SameZone`, `ZoneRedundant`. */
  readonly highAvailability: string;
  readonly standbyState: string;
  readonly publicAccess: boolean;
  /** Its network interface is in a subnet that is delegated to servers. */
  readonly isInSubnet: boolean;
  readonly geoRedundantBackup: boolean;
  readonly administrator: string;
  readonly replicationRole: string;
  /** In UTC, an hour long; null: Azure chooses. */
  readonly maintenance: {
    readonly dayOfWeek: number;
    readonly hour: number;
    readonly minute: number;
  } | null;
  /** ISO 8601; null: Azure does not say. */
  readonly createdAt: string | null;
}

export interface ParameterView {
  readonly value: string;
  readonly defaultValue: string;
  readonly isReadOnly: boolean;
  readonly isDynamic: boolean;
  readonly isPendingRestart: boolean;
  /** Members of an enumeration, or `min-max`; empty: Azure does not say. */
  readonly allowed: string;
}

export interface RuleView {
  readonly from: string;
  readonly to: string;
}

/** One server's control plane. Every call throws CLOUD_… failures. */
export class FlexibleServer {
  readonly #id: ServerId;

  constructor(id: ServerId) {
    this.#id = id;
  }

  /** Null: there is none of that name in the resource group. */
  async find(signal: AbortSignal): Promise<ServerView | null> {
    const { client, resourceGroup, server } = this.#id;
    return await askAzure(`looking at the server ${server}`, signal, async (options) => {
      try {
        return toView(await client.servers.get(resourceGroup, server, options));
      } catch (error) {
        if (isAzureNotFound(error)) return null;
        throw error;
      }
    });
  }

  async parameters(signal: AbortSignal): Promise<ReadonlyMap<string, ParameterView>> {
    const { client, resourceGroup, server } = this.#id;
    return await askAzure(`reading the parameters of ${server}`, signal, async (options) => {
      const found = new Map<string, ParameterView>();
      const listed = client.configurations.listByServer(resourceGroup, server, options);
      for await (const one of listed) {
        if (one.name !== undefined) found.set(one.name, toParameter(one));
      }
      return found;
    });
  }

  async firewallRule(rule: string, signal: AbortSignal): Promise<RuleView | null> {
    const { client, resourceGroup, server } = this.#id;
    return await askAzure(`looking at the firewall rule ${rule}`, signal, async (options) => {
      try {
        return toRule(await client.firewallRules.get(resourceGroup, server, rule, options));
      } catch (error) {
        if (isAzureNotFound(error)) return null;
        throw error;
      }
    });
  }

  async databases(signal: AbortSignal): Promise<readonly string[]> {
    const { client, resourceGroup, server } = this.#id;
    return await askAzure(`reading the databases of ${server}`, signal, async (options) => {
      const names: string[] = [];
      for await (const { name } of client.databases.listByServer(resourceGroup, server, options)) {
        if (name !== undefined) names.push(name);
      }
      return names;
    });
  }

  /** See beginOperation. */
  async begin(operation: Operation, signal: AbortSignal): Promise<string | null> {
    return await beginOperation(this.#id, operation, signal);
  }

  /** See awaitOperation. */
  async finish(token: string, waiting: Waiting): Promise<'ended' | 'unknown'> {
    return await awaitOperation(this.#id, token, waiting);
  }

  async run(operation: Operation, waiting: Waiting): Promise<void> {
    const token = await this.begin(operation, waiting.signal);
    if (token !== null) await this.finish(token, waiting);
  }
}

function toView(server: Server): ServerView {
  const { maintenanceWindow: window } = server;
  return {
    host: server.fullyQualifiedDomainName ?? '',
    state: server.state ?? 'Creating',
    location: server.location,
    version: server.version ?? '',
    sku: server.sku?.name ?? '',
    tags: server.tags ?? {},
    storageGb: server.storage?.storageSizeGB ?? 0,
    iops: server.storage?.iops ?? null,
    autoGrow: server.storage?.autoGrow === 'Enabled',
    highAvailability: server.highAvailability?.mode ?? 'Disabled',
    standbyState: server.highAvailability?.state ?? 'NotEnabled',
    publicAccess: server.network?.publicNetworkAccess !== 'Disabled',
    isInSubnet: server.network?.delegatedSubnetResourceId !== undefined,
    geoRedundantBackup: server.backup?.geoRedundantBackup === 'Enabled',
    administrator: server.administratorLogin ?? '',
    replicationRole: server.replicationRole ?? 'None',
    maintenance:
      window?.customWindow === 'Enabled'
        ? {
            dayOfWeek: window.dayOfWeek ?? 0,
            hour: window.startHour ?? 0,
            minute: window.startMinute ?? 0,
          }
        : null,
    createdAt: server.systemData?.createdAt?.toISOString() ?? null,
  };
}

function toParameter(one: Configuration): ParameterView {
  return {
    value: one.value ?? '',
    defaultValue: one.defaultValue ?? '',
    isReadOnly: one.isReadOnly === 'True',
    isDynamic: one.isDynamicConfig !== 'False',
    isPendingRestart: one.isConfigPendingRestart === 'True',
    allowed: one.allowedValues ?? '',
  };
}

function toRule(rule: FirewallRule): RuleView {
  return { from: rule.startIpAddress, to: rule.endIpAddress };
}
