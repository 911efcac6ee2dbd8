import type { CloudContext, Store } from '../../service.ts';
import { ArmError } from '../arm-error.ts';
import type { Tier } from './skus.ts';

export type ServerState =
  'Creating' | 'Ready' | 'Updating' | 'Dropping' | 'Starting' | 'Stopping' | 'Stopped';

export interface FirewallRule {
  readonly startIpAddress: string;
  readonly endIpAddress: string;
}

export interface KeptServer {
  readonly name: string;
  readonly subscription: string;
  readonly group: string;
  readonly location: string;
  readonly version: string;
  readonly administratorLogin: string;
  /** Until the server was created with it. */
  password: string | null;
  readonly createdAt: string;
  readonly availabilityZone: string;
  /** Zone redundancy can be switched on later only where the server was created with it. */
  readonly zoneRedundant: boolean;
  readonly network: {
    readonly publicNetworkAccess: 'Enabled' | 'Disabled';
    readonly delegatedSubnetResourceId?: string;
    readonly privateDnsZoneResourceId?: string;
  };
  tags: Record<string, string>;
  sku: { name: string; tier: Tier };
  storage: { storageSizeGB: number; iops: number; autoGrow: 'Enabled' | 'Disabled' };
  backup: { backupRetentionDays: number; geoRedundantBackup: 'Enabled' | 'Disabled' };
  highAvailability: {
    mode: 'Disabled' | 'ZoneRedundant' | 'SameZone';
    state: 'NotEnabled' | 'CreatingStandby' | 'Healthy' | 'RemovingStandby';
    standbyAvailabilityZone?: string;
  };
  maintenanceWindow: {
    customWindow?: string;
    startHour?: number;
    startMinute?: number;
    dayOfWeek?: number;
  };
  state: ServerState;
  /** Values that differ from the defaults, by parameter. */
  overrides: Record<string, string>;
  /** Those that the server was started with last: a static parameter may differ from it. */
  started: Record<string, string>;
  /** The server's own values before anything was overridden. */
  defaults: Record<string, string>;
  firewallRules: Record<string, FirewallRule>;
}

/** Names of other customers' servers: they are unique in all of Azure. */
const foreignNames: readonly string[] = ['contoso', 'fabrikam', 'adventure-works'];

/** The sandbox's flexible servers by their names, which the whole of Azure shares. */
export class Servers {
  readonly context: CloudContext;
  readonly #store: Store<Record<string, KeptServer>>;

  private constructor(context: CloudContext, store: Store<Record<string, KeptServer>>) {
    this.context = context;
    this.#store = store;
  }

  static async open(context: CloudContext): Promise<Servers> {
    return new Servers(context, await context.store('azure/flexible-servers', {}));
  }

  save(): Promise<void> {
    return this.#store.save();
  }

  /** Null when there is none of that name in that resource group. */
  find(params: Readonly<Record<string, string>>): KeptServer | null {
    const server = this.#store.value[(params['server'] ?? '').toLowerCase()];
    if (server?.group.toLowerCase() !== params['group']?.toLowerCase()) return null;
    return server ?? null;
  }

  /** @throws ArmError ResourceNotFound */
  get(params: Readonly<Record<string, string>>): KeptServer {
    const server = this.find(params);
    if (server !== null) return server;
    throw notFound(`flexibleServers/${params['server']}`, params['group'] ?? '');
  }

  /** What may be changed now. @throws ArmError while something else is done to it */
  getReady(params: Readonly<Record<string, string>>, operation: string): KeptServer {
    const server = this.get(params);
    const { name, state } = server;
    if (state === 'Ready') return server;
    throw state === 'Stopped' || state === 'Dropping'
      ? new ArmError(
          409,
          'ServerUnavailableForOperation',
          `Operation '${operation}' cannot be performed as server '${name}' is currently in state '${state}'.`,
        )
      : new ArmError(
          409,
          'ServerIsBusy',
          `Cannot complete operation while server '${name}' is busy processing another operation. Please try again later.`,
        );
  }

  named(name: string): KeptServer {
    const server = this.#store.value[name.toLowerCase()];
    if (server === undefined) throw notFound(`flexibleServers/${name}`, '');
    return server;
  }

  inGroup(group: string): KeptServer[] {
    return this.all().filter((server) => server.group.toLowerCase() === group.toLowerCase());
  }

  all(): KeptServer[] {
    return Object.values(this.#store.value);
  }

  isTaken(name: string): boolean {
    const key = name.toLowerCase();
    return foreignNames.includes(key) || Object.hasOwn(this.#store.value, key);
  }

  async add(server: KeptServer): Promise<void> {
    this.#store.value[server.name.toLowerCase()] = server;
    await this.save();
  }

  async remove(name: string): Promise<void> {
    delete this.#store.value[name.toLowerCase()];
    await this.save();
  }
}

export function notFound(what: string, group: string): ArmError {
  return new ArmError(
    404,
    'ResourceNotFound',
    `The Resource 'Microsoft.DBforMySQL/${what}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

export function hostName(server: Pick<KeptServer, 'name'>): string {
  return `${server.name}.mysql.database.azure.com`;
}

/** In the fleet. */
export function fleetId(server: Pick<KeptServer, 'name'>): string {
  return `azure-${server.name}`;
}

export function resourceId({ subscription, group, name }: KeptServer): string {
  return `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.DBforMySQL/flexibleServers/${name}`;
}

/** The resource as a GET shows it: never a password. */
export function serverView(server: KeptServer): Record<string, unknown> {
  return {
    sku: server.sku,
    systemData: { createdAt: server.createdAt },
    properties: {
      administratorLogin: server.administratorLogin,
      storage: { ...server.storage, storageSku: 'Premium_LRS' },
      version: server.version,
      state: server.state,
      fullyQualifiedDomainName: hostName(server),
      availabilityZone: server.availabilityZone,
      maintenanceWindow: {
        customWindow: 'Disabled',
        dayOfWeek: 0,
        startHour: 0,
        startMinute: 0,
        ...server.maintenanceWindow,
      },
      replicationRole: 'None',
      replicaCapacity: 10,
      network: server.network,
      backup: { ...server.backup, earliestRestoreDate: server.createdAt },
      highAvailability: server.highAvailability,
    },
    location: server.location,
    tags: server.tags,
    id: resourceId(server),
    name: server.name,
    type: 'Microsoft.DBforMySQL/flexibleServers',
  };
}
