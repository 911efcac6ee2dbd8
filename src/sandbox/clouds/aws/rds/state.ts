import type { CloudContext, Store } from '../../service.ts';
import { ACCOUNT_ID } from '../identity.ts';
import type { GroupScope } from './parameters.ts';
import { families, isAurora } from './parameters.ts';
import { QueryFailure } from '../query-protocol.ts';

/** All that RDS knows; on disk before any answer. */
export interface RdsState {
  instances: Record<string, Instance>;
  clusters: Record<string, Cluster>;
  /** Those that somebody made; default groups are there without being listed. */
  groups: Record<GroupScope, Record<string, Group>>;
  proxies: Record<string, Proxy>;
  /** By ARN. */
  tags: Record<string, Record<string, string>>;
}

export interface Group {
  family: string;
  description: string;
  /** What was set; all others have the family's values. */
  values: Record<string, { value: string; method: 'immediate' | 'pending-reboot' }>;
}

/** `attach`: another parameter group; `modify`: everything that is pending. */
export type Task = 'create' | 'attach' | 'modify' | 'reboot' | 'delete';

export interface Instance {
  id: string;
  class: string;
  engine: string;
  /** As asked for; the server is what it is. */
  version: string;
  masterUser: string;
  database: string | null;
  storage: number;
  storageType: string;
  iops: number | null;
  retention: number;
  backupWindow: string;
  maintenanceWindow: string;
  multiAz: boolean;
  public: boolean;
  caCertificate: string;
  deletionProtection: boolean;
  iamAuthentication: boolean;
  createdAt: string;
  cluster: string | null;
  /** The instance that it is a read replica of. */
  source: string | null;
  status: string;
  /** Attached. */
  group: string;
  /** Whose values the server has: it follows `group` with the next reboot. */
  appliedGroups: Record<GroupScope, string>;
  /** What RDS set on the server, by parameter. */
  applied: Record<string, string>;
  /** Values are on their way to the server. */
  applying: boolean;
  pending: Pending;
  /** Under way; taken up again when the sandbox was ended in the middle. */
  task: Task | null;
  /** Kept only until the server has it. */
  masterPassword: string | null;
  /** The task under way is to fail. */
  failing: boolean;
}

/** Waiting for the maintenance window, or for somebody's ApplyImmediately. */
export interface Pending {
  class?: string;
  storage?: number;
  storageType?: string;
  iops?: number;
  version?: string;
  retention?: number;
  multiAz?: boolean;
  masterPassword?: string;
}

export interface Cluster {
  id: string;
  engine: string;
  version: string;
  masterUser: string;
  masterPassword: string | null;
  database: string | null;
  retention: number;
  group: string;
  createdAt: string;
  status: string;
  deletionProtection: boolean;
}

export interface Proxy {
  name: string;
  instances: string[];
  clusters: string[];
  createdAt: string;
}

/** What every operation works with. */
export interface Rds {
  readonly store: Store<RdsState>;
  readonly context: CloudContext;
}

export const emptyState: RdsState = {
  instances: {},
  clusters: {},
  groups: { instance: {}, cluster: {} },
  proxies: {},
  tags: {},
};

export type ResourceKind = 'db' | 'cluster' | 'pg' | 'cluster-pg' | 'db-proxy';

export function arn({ context }: Rds, kind: ResourceKind, name: string): string {
  return `arn:aws:rds:${context.region}:${ACCOUNT_ID}:${kind}:${name.toLowerCase()}`;
}

/** Identifiers are kept in lower case, however they are written. */
export function findInstance({ store }: Rds, id: string): Instance {
  const instance = store.value.instances[id.toLowerCase()];
  if (instance === undefined) {
    throw new QueryFailure('DBInstanceNotFound', `DBInstance ${id} not found.`, 404);
  }
  return instance;
}

export function findCluster({ store }: Rds, id: string): Cluster {
  const cluster = store.value.clusters[id.toLowerCase()];
  if (cluster === undefined) {
    throw new QueryFailure('DBClusterNotFoundFault', `DBCluster ${id} not found.`, 404);
  }
  return cluster;
}

export function replicasOf({ store }: Rds, { id }: Instance): Instance[] {
  return Object.values(store.value.instances).filter(({ source }) => source === id);
}

export function familyOf(engine: string, version: string): string {
  const family = `${engine}${version.split('.').slice(0, 2).join('.')}`;
  if (!(families as readonly string[]).includes(family)) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      `Cannot find version ${version} for ${engine}`,
    );
  }
  return family;
}

export function defaultGroupName(family: string): string {
  return `default.${family}`;
}

/** Null: there is no such group. */
export function lookUpGroup({ store }: Rds, scope: GroupScope, name: string): Group | null {
  const family = families.find((one) => defaultGroupName(one) === name.toLowerCase());
  if (family !== undefined && (scope === 'instance' || isAurora(family))) {
    return { family, description: `Default parameter group for ${family}`, values: {} };
  }
  return store.value.groups[scope][name.toLowerCase()] ?? null;
}

export function findGroup(rds: Rds, scope: GroupScope, name: string): Group {
  const group = lookUpGroup(rds, scope, name);
  if (group === null) {
    throw new QueryFailure(
      'DBParameterGroupNotFound',
      `${scope === 'cluster' ? 'DBClusterParameterGroup' : 'DBParameterGroup'} not found: ${name}`,
      404,
    );
  }
  return group;
}
