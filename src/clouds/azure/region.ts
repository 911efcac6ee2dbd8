import type { MySQLManagementFlexibleServerClient } from '@azure/arm-mysql-flexible';
import { askAzure } from './errors.ts';

/** What a region offers to this subscription. */
export interface RegionView {
  readonly versions: ReadonlySet<string>;
  readonly highAvailability: ReadonlySet<string>;
  sku(version: string, name: string): SkuView | undefined;
  skus(version: string): readonly string[];
  readonly maxStorageGb: number;
}

export interface SkuView {
  readonly vCores: number;
  readonly maxIops: number;
  readonly memoryMb: number;
}

export async function readRegion(
  client: MySQLManagementFlexibleServerClient,
  location: string,
  signal: AbortSignal,
): Promise<RegionView> {
  return await askAzure(`reading what ${location} offers`, signal, async (options) => {
    const skus = new Map<string, Map<string, SkuView>>();
    const modes = new Set<string>();
    let maxStorageMb = 0;
    // One entry for each zone: a size counts that any of them has.
    for await (const zone of client.locationBasedCapabilities.list(location, options)) {
      for (const mode of zone.supportedHAMode ?? []) modes.add(mode);
      for (const edition of zone.supportedFlexibleServerEditions ?? []) {
        for (const { maxStorageSize } of edition.supportedStorageEditions ?? []) {
          maxStorageMb = Math.max(maxStorageMb, maxStorageSize ?? 0);
        }
        for (const version of edition.supportedServerVersions ?? []) {
          const known = skus.get(version.name ?? '') ?? new Map<string, SkuView>();
          for (const sku of version.supportedSkus ?? []) {
            known.set(sku.name ?? '', {
              vCores: sku.vCores ?? 0,
              maxIops: sku.supportedIops ?? 0,
              memoryMb: (sku.vCores ?? 0) * (sku.supportedMemoryPerVCoreMB ?? 0),
            });
          }
          skus.set(version.name ?? '', known);
        }
      }
    }
    return {
      versions: new Set(skus.keys()),
      highAvailability: modes,
      sku: (version, name) => skus.get(version)?.get(name),
      skus: (version) => [...(skus.get(version)?.keys() ?? [])],
      maxStorageGb: Math.floor(maxStorageMb / 1024),
    };
  });
}

/** Names of servers are unique in all of Azure; null: this one is free. */
export async function nameTaken(
  client: MySQLManagementFlexibleServerClient,
  { location, name }: { readonly location: string; readonly name: string },
  signal: AbortSignal,
): Promise<string | null> {
  return await askAzure(`asking whether the name ${name} is free`, signal, async (options) => {
    const answer = await client.checkNameAvailability.execute(
      location,
      { name, type: 'Microsoft.DBforMySQL/flexibleServers' },
      options,
    );
    return answer.nameAvailable === false ? (answer.reason ?? 'Unavailable') : null;
  });
}
