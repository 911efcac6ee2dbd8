import type { ArmRoute } from '../arm.ts';
import { json } from '../arm-error.ts';
import type { NameBody } from './schemas.ts';
import { API_VERSIONS, nameBody } from './schemas.ts';
import type { Servers } from './servers.ts';
import type { Tier } from './skus.ts';
import { MAX_STORAGE_GB, MIN_STORAGE_GB, normalRegion, regions, skus, versions, zones } from './skus.ts'; // prettier-ignore

const PROVIDER = '/subscriptions/{subscription}/providers/Microsoft.DBforMySQL';

/** What a region offers, and which names are free. */
export function locationRoutes(servers: Servers): ArmRoute[] {
  const nameRoute = (path: string, operation: string, action: string): ArmRoute => ({
    operation,
    method: 'POST',
    path,
    action,
    apiVersions: API_VERSIONS,
    body: nameBody,
    answer: async ({ body }) => {
      const { name } = body as NameBody;
      const taken = servers.isTaken(name);
      return json(200, {
        nameAvailable: !taken,
        reason: taken ? 'AlreadyExists' : '',
        message: taken ? 'Specified server name is already used.' : '',
      });
    },
  });
  return [
    nameRoute(
      `${PROVIDER}/locations/{location}/checkNameAvailability`,
      'CheckNameAvailability_Execute',
      'Microsoft.DBforMySQL/locations/checkNameAvailability/action',
    ),
    nameRoute(
      `${PROVIDER}/checkNameAvailability`,
      'CheckNameAvailabilityWithoutLocation_Execute',
      'Microsoft.DBforMySQL/checkNameAvailability/action',
    ),
    {
      operation: 'LocationBasedCapabilities_List',
      method: 'GET',
      path: `${PROVIDER}/locations/{location}/capabilities`,
      action: 'Microsoft.DBforMySQL/locations/capabilities/read',
      apiVersions: API_VERSIONS,
      answer: async ({ params }) => {
        const offered = regions.includes(normalRegion(params['location'] ?? ''));
        return json(200, { value: offered ? zones.map(zoneView) : [] });
      },
    },
  ];
}

function zoneView(zone: string) {
  const tiers: readonly Tier[] = ['Burstable', 'GeneralPurpose', 'MemoryOptimized'];
  return {
    zone,
    supportedHAMode: ['SameZone', 'ZoneRedundant'],
    supportedGeoBackupRegions: regions,
    supportedFlexibleServerEditions: tiers.map((tier) => ({
      name: tier,
      supportedStorageEditions: [
        {
          name: 'Premium',
          minStorageSize: MIN_STORAGE_GB * 1024,
          maxStorageSize: MAX_STORAGE_GB * 1024,
          minBackupRetentionDays: 1,
          maxBackupRetentionDays: 35,
        },
      ],
      supportedServerVersions: versions.map((name) => ({
        name,
        supportedSkus: skus
          .filter((sku) => sku.tier === tier)
          .map((sku) => ({
            name: sku.name,
            vCores: sku.vCores,
            supportedIops: sku.maxIops,
            supportedMemoryPerVCoreMB: sku.memoryPerVCoreMb,
          })),
      })),
    })),
  };
}
