import type { AzureClients } from '../../clouds/azure/clients.ts';
import type { ServerView } from '../../clouds/azure/flexible-server.ts';
import { FlexibleServer } from '../../clouds/azure/flexible-server.ts';
import type { AzureTargetConfig, MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { Address } from '../../mysql/endpoint.ts';
import type { Formers } from '../act.ts';
import type { SourceFacts } from '../source-facts.ts';

/** What one act on the target works with. */
export interface TargetInput {
  readonly config: MigrationConfig;
  readonly clients: AzureClients;
  /** Null: the source was not read; nothing is derived from it then. */
  readonly source: SourceFacts | null;
  /** Values as they were, by act, as the survey read them. */
  readonly formers: Formers;
  /** The administrator's, which a new server is given. */
  resolvePassword(): Promise<string>;
  /** A session of `target.user`: what was set is read back from the server itself. */
  openTarget(address: Address, signal: AbortSignal): Promise<Connection>;
}

export type Permission = AzureTargetConfig['manage'][number];

/** Azure gives every server this port. */
export const AZURE_PORT = 3306;

/** On a server that a migration made: which one, when, and when its applications had moved there. */
export const OWNER_TAG = 'skyferry-migration';
export const CREATED_TAG = 'skyferry-created';
export const HANDED_OVER_TAG = 'skyferry-handed-over';

/** The act that runs after the switch; what its survey keeps for it: the source's event scheduler. */
export const FINAL_PARAMETERS = 'azure/final-parameters';
export const SOURCE_SCHEDULER = 'source.event_scheduler';

export function azureTarget(config: MigrationConfig): AzureTargetConfig {
  if (config.target.kind === 'azure-mysql-flexible') return config.target;
  throw new SkyferryFailure('CONFIG_INVALID', 'the target is no Azure server');
}

export async function openServer(
  config: MigrationConfig,
  clients: AzureClients,
): Promise<FlexibleServer> {
  const { subscription, resourceGroup, server } = azureTarget(config);
  return new FlexibleServer({ client: await clients.mysql(subscription), resourceGroup, server });
}

/** To be taken up, changed and removed: not any more once applications live on it. */
export function isOurs(config: MigrationConfig, server: ServerView): boolean {
  return isMadeBy(config, server) && server.tags[HANDED_OVER_TAG] === undefined;
}

/** By this migration, or by an earlier one of its name. */
export function isMadeBy(config: MigrationConfig, server: ServerView): boolean {
  return server.tags[OWNER_TAG] === config.name;
}

/** A server that was there before is changed only in what `manage` names. */
export function mayChange(
  config: MigrationConfig,
  server: ServerView,
  permission: Permission,
): boolean {
  return isOurs(config, server) || azureTarget(config).manage.includes(permission);
}

export function refuseUnmanaged(
  config: MigrationConfig,
  server: ServerView,
  permission: Permission,
): void {
  if (mayChange(config, server, permission)) return;
  throw new SkyferryFailure(
    'CONFIG_INVALID',
    `the server ${azureTarget(config).server} was there before, and target.manage does not allow to change its ${permission}`,
    {
      safe: 'it was not changed',
      next: `add ${permission} to target.manage, or change it yourself as the plan says`,
    },
  );
}

/** Rules have no tags, so a name tells whose they are. Azure allows 128 characters. */
export function firewallRuleName(config: MigrationConfig, name: string): string {
  return `skyferry-${config.name}-${name}`;
}

export function tierOf(sku: string): 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized' {
  if (sku.startsWith('Standard_B')) return 'Burstable';
  return sku.startsWith('Standard_E') ? 'MemoryOptimized' : 'GeneralPurpose';
}

/** Compute while loading; without a size for that the one it will have anyhow. */
export function loadSku({ sku }: AzureTargetConfig): string | undefined {
  return sku?.load ?? sku?.run;
}

export function loadIops({ iops }: AzureTargetConfig): number | undefined {
  return iops?.load ?? iops?.run;
}

/** Nothing ends these by itself. */
export function isStopped(state: string): boolean {
  return ['Dropping', 'Disabled', 'Stopping', 'Stopped'].includes(state);
}
