import type { AzureClients } from '../../clouds/azure/clients.ts';
import type { ProjectView, ServiceView } from '../../clouds/azure/data-migration/service.ts';
import { DataMigrationService } from '../../clouds/azure/data-migration/service.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import { azureTarget, CREATED_TAG, openServer, OWNER_TAG } from '../target/target.ts';

/** What one act on the migration service works with. */
export interface DmsInput {
  readonly config: MigrationConfig;
  readonly clients: AzureClients;
}

export const SERVICE_ACT = 'azure-dms/service';
export const PROJECT_ACT = 'azure-dms/project';
export const REMOVE_ACT = 'azure-dms/remove';

type DmsConfig = NonNullable<MigrationConfig['azureDms']>;

/** Whether there is a migration service to be made ready at all. */
export function usesDms({ engine, azureDms, target }: MigrationConfig): boolean {
  return engine === 'azure-dms' && azureDms !== undefined && target.kind === 'azure-mysql-flexible';
}

export function dmsConfig({ azureDms }: MigrationConfig): DmsConfig {
  if (azureDms !== undefined) return azureDms;
  throw new SkyferryFailure('CONFIG_INVALID', 'engine: azure-dms needs azureDms with a subnet', {
    next: 'set azureDms.subnet',
  });
}

export function dmsServiceName({ name, azureDms }: Pick<MigrationConfig, 'name' | 'azureDms'>) {
  return azureDms?.service ?? `skyferry-${name}`;
}

export async function openService({ config, clients }: DmsInput): Promise<DataMigrationService> {
  const { subscription, resourceGroup } = azureTarget(config);
  const client = await clients.dataMigration(subscription);
  return new DataMigrationService({ client, resourceGroup, service: dmsServiceName(config) });
}

/** Made by this migration. A project is tagged too: it has no more than the migration's name. */
export function isOurs(
  { name }: MigrationConfig,
  { tags }: Pick<ServiceView | ProjectView, 'tags'>,
): boolean {
  return tags[OWNER_TAG] === name;
}

export function ownTags({ name }: MigrationConfig, now: Date): Record<string, string> {
  return { [OWNER_TAG]: name, [CREATED_TAG]: now.toISOString() };
}

/** Of the service that is to be made: the subnet's, which is the target's unless it is said otherwise. */
export async function wantedLocation(input: DmsInput, signal: AbortSignal): Promise<string> {
  const { location } = dmsConfig(input.config);
  if (location !== undefined) return location;
  const { create } = azureTarget(input.config);
  const server = await (await openServer(input.config, input.clients)).find(signal);
  const found = server?.location ?? create?.location;
  if (found !== undefined) return found;
  throw new SkyferryFailure('CONFIG_INVALID', 'the service has no location: there is no target', {
    next: 'set azureDms.location to that of the subnet',
  });
}

/** `West Europe` and `westeurope` are the same. */
export function isSameLocation(one: string, other: string): boolean {
  const plain = (location: string) => location.replaceAll(' ', '').toLowerCase();
  return plain(one) === plain(other);
}

/** It takes requests now. */
export function isAtWork({ state }: ServiceView): boolean {
  return state === 'Succeeded';
}

/** Something is under way that ends by itself. */
export function isOnItsWay({ state }: ServiceView): boolean {
  return ['Accepted', 'Deploying', 'Starting', 'Stopping', 'Deleting'].includes(state);
}
