import { z } from 'zod';

// Written after the public specification of Microsoft.DBforMySQL, api-version 2021-05-01: names,
// required members and enumerations are its own.

export const API_VERSIONS: readonly string[] = ['2021-05-01'];

const enabled = z.enum(['Enabled', 'Disabled']);
const ipv4 = z.ipv4({ error: 'must be an IPv4 address' });

const sku = z.strictObject({
  name: z.string(),
  tier: z.enum(['Burstable', 'GeneralPurpose', 'MemoryOptimized']),
});
const storage = z.strictObject({
  storageSizeGB: z.int().exactOptional(),
  iops: z.int().exactOptional(),
  autoGrow: enabled.exactOptional(),
});
const backup = z.strictObject({
  backupRetentionDays: z.int().min(1).max(35).exactOptional(),
  geoRedundantBackup: enabled.exactOptional(),
});
const highAvailability = z.strictObject({
  mode: z.enum(['Disabled', 'ZoneRedundant', 'SameZone']).exactOptional(),
  standbyAvailabilityZone: z.string().exactOptional(),
});
const maintenanceWindow = z.strictObject({
  customWindow: z.string().exactOptional(),
  startHour: z.int().min(0).max(23).exactOptional(),
  startMinute: z.int().min(0).max(59).exactOptional(),
  dayOfWeek: z.int().min(0).max(6).exactOptional(),
});
const network = z.strictObject({
  delegatedSubnetResourceId: z.string().exactOptional(),
  privateDnsZoneResourceId: z.string().exactOptional(),
});
const tags = z.record(z.string(), z.string());

export const serverBody = z.strictObject({
  location: z.string(),
  tags: tags.exactOptional(),
  sku: sku.exactOptional(),
  properties: z
    .strictObject({
      administratorLogin: z.string().exactOptional(),
      administratorLoginPassword: z.string().exactOptional(),
      version: z.string().exactOptional(),
      availabilityZone: z.string().exactOptional(),
      createMode: z
        .enum(['Default', 'PointInTimeRestore', 'Replica', 'GeoRestore'])
        .exactOptional(),
      replicationRole: z.enum(['None', 'Source', 'Replica']).exactOptional(),
      storage: storage.exactOptional(),
      backup: backup.exactOptional(),
      highAvailability: highAvailability.exactOptional(),
      network: network.exactOptional(),
      maintenanceWindow: maintenanceWindow.exactOptional(),
    })
    .exactOptional(),
});
export type ServerBody = z.infer<typeof serverBody>;

export const serverUpdateBody = z.strictObject({
  tags: tags.exactOptional(),
  sku: sku.exactOptional(),
  properties: z
    .strictObject({
      administratorLoginPassword: z.string().exactOptional(),
      storage: storage.exactOptional(),
      backup: backup.exactOptional(),
      highAvailability: highAvailability.exactOptional(),
      maintenanceWindow: maintenanceWindow.exactOptional(),
      replicationRole: z.enum(['None', 'Source', 'Replica']).exactOptional(),
    })
    .exactOptional(),
});
export type ServerUpdateBody = z.infer<typeof serverUpdateBody>;

export const restartBody = z.strictObject({
  restartWithFailover: enabled.exactOptional(),
  maxFailoverSeconds: z.int().exactOptional(),
});

export const configurationBody = z.strictObject({
  properties: z
    .strictObject({
      value: z.string().exactOptional(),
      source: z.enum(['system-default', 'user-override']).exactOptional(),
    })
    .exactOptional(),
});
export type ConfigurationBody = z.infer<typeof configurationBody>;

export const configurationsBody = z.strictObject({
  value: z
    .array(
      z.strictObject({
        name: z.string().exactOptional(),
        properties: z
          .strictObject({
            value: z.string().exactOptional(),
            source: z.string().exactOptional(),
          })
          .exactOptional(),
      }),
    )
    .exactOptional(),
});
export type ConfigurationsBody = z.infer<typeof configurationsBody>;

export const firewallRuleBody = z.strictObject({
  properties: z.strictObject({ startIpAddress: ipv4, endIpAddress: ipv4 }),
});
export type FirewallRuleBody = z.infer<typeof firewallRuleBody>;

export const databaseBody = z.strictObject({
  properties: z
    .strictObject({
      charset: z.string().exactOptional(),
      collation: z.string().exactOptional(),
    })
    .exactOptional(),
});
export type DatabaseBody = z.infer<typeof databaseBody>;

export const nameBody = z.strictObject({
  name: z.string(),
  type: z.string().exactOptional(),
});
export type NameBody = z.infer<typeof nameBody>;
