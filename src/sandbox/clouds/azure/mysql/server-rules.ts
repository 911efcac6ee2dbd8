import { ArmError } from '../arm-error.ts';
import type { ServerBody, ServerUpdateBody } from './schemas.ts';
import type { KeptServer } from './servers.ts';
import type { Sku } from './skus.ts';
import {
  findSku,
  MAX_STORAGE_GB,
  MIN_STORAGE_GB,
  normalRegion,
  regions,
  versions,
  zones,
} from './skus.ts';

const reserved = ['azure_superuser', 'admin', 'administrator', 'root', 'guest', 'public'];

/** What a request for a new server says, checked and with Azure's defaults. */
export function newServer(
  params: Readonly<Record<string, string>>,
  { location, tags = {}, sku: asked, properties = {} }: ServerBody,
): KeptServer {
  const { subscription = '', group = '', server: name = '' } = params;
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)) throw invalid('serverName');
  const region = offeredRegion(location);
  const administrator = checkedAdministrator(properties);
  const { version = '8.0.21', storage = {}, backup = {}, network = {} } = properties;
  if (!versions.includes(version)) throw invalid('version');
  if ((properties.createMode ?? 'Default') !== 'Default') throw invalid('createMode');
  const sku = offeredSku(asked ?? { name: 'Standard_B1ms', tier: 'Burstable' });
  const zone = offeredZone(properties.availabilityZone ?? '1', subscription);
  const { mode = 'Disabled', standbyAvailabilityZone } = properties.highAvailability ?? {};
  refuseHighAvailability(sku, mode);
  const size = storage.storageSizeGB ?? MIN_STORAGE_GB;
  const iops = storage.iops ?? Math.min(sku.maxIops, 300 + 3 * size);
  refuseStorage(sku, size, iops);
  const isPrivate = network.delegatedSubnetResourceId !== undefined;
  return {
    name,
    subscription,
    group,
    version,
    ...administrator,
    tags,
    location: region,
    createdAt: new Date().toISOString(),
    availabilityZone: zone,
    zoneRedundant: mode === 'ZoneRedundant',
    network: { publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled', ...network },
    sku: { name: sku.name, tier: sku.tier },
    storage: { storageSizeGB: size, iops, autoGrow: storage.autoGrow ?? 'Enabled' },
    backup: {
      backupRetentionDays: backup.backupRetentionDays ?? 7,
      geoRedundantBackup: backup.geoRedundantBackup ?? 'Disabled',
    },
    highAvailability: {
      mode,
      state: mode === 'Disabled' ? 'NotEnabled' : 'Healthy',
      ...(standbyAvailabilityZone !== undefined && { standbyAvailabilityZone }),
    },
    maintenanceWindow: properties.maintenanceWindow ?? {},
    state: 'Creating',
    overrides: {},
    started: {},
    defaults: {},
    firewallRules: {},
  };
}

/** @throws ArmError for a change that Azure refuses */
export function refuseUpdate(server: KeptServer, { sku: asked, properties }: ServerUpdateBody) {
  const sku = offeredSku(asked ?? server.sku);
  const { storage = {}, backup = {}, highAvailability = {} } = properties ?? {};
  const { storageSizeGB = server.storage.storageSizeGB, iops } = storage;
  if (storageSizeGB < server.storage.storageSizeGB) {
    throw new ArmError(
      400,
      'StorageSizeReductionNotSupported',
      'The storage size of a server cannot be reduced.',
    );
  }
  refuseStorage(sku, storageSizeGB, iops ?? Math.min(server.storage.iops, sku.maxIops));
  const { geoRedundantBackup = server.backup.geoRedundantBackup } = backup;
  if (geoRedundantBackup !== server.backup.geoRedundantBackup) {
    throw invalid('geoRedundantBackup');
  }
  const { mode = server.highAvailability.mode } = highAvailability;
  refuseHighAvailability(sku, mode);
  if (mode === 'ZoneRedundant' && !server.zoneRedundant) throw invalid('highAvailability');
  const connections = Number(server.overrides['max_connections'] ?? 0);
  if (connections > 2 * sku.maxConnections) throw invalid('max_connections');
  if (properties?.administratorLoginPassword !== undefined) {
    refuseWeak(properties.administratorLoginPassword, server.administratorLogin);
  }
}

/** A second PUT may change what a PATCH may, and must repeat the rest. */
export function refuseOtherServer(
  server: KeptServer,
  { location, properties = {} }: ServerBody,
): void {
  const fixed = [
    ['location', normalRegion(location), server.location],
    ['administratorLogin', properties.administratorLogin, server.administratorLogin],
    ['version', properties.version, server.version],
    ['availabilityZone', properties.availabilityZone, server.availabilityZone],
    [
      'network',
      properties.network?.delegatedSubnetResourceId,
      server.network.delegatedSubnetResourceId,
    ],
  ] as const;
  for (const [name, asked, is] of fixed) {
    if (asked !== undefined && asked !== is) {
      throw new ArmError(
        400,
        'PropertyChangeNotAllowed',
        `Changing property '${name}' is not allowed.`,
      );
    }
  }
}

function offeredRegion(location: string): string {
  const region = normalRegion(location);
  if (regions.includes(region)) return region;
  throw new ArmError(
    400,
    'LocationNotAvailableForResourceType',
    `The provided location '${location}' is not available for resource type 'Microsoft.DBforMySQL/flexibleServers'.`,
  );
}

function checkedAdministrator({
  administratorLogin,
  administratorLoginPassword: password,
}: NonNullable<ServerBody['properties']>): { administratorLogin: string; password: string } {
  if (
    administratorLogin === undefined ||
    !/^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(administratorLogin) ||
    reserved.includes(administratorLogin.toLowerCase())
  ) {
    throw invalid('administratorLogin');
  }
  if (password === undefined) throw invalid('administratorLoginPassword');
  refuseWeak(password, administratorLogin);
  return { administratorLogin, password };
}

function offeredZone(zone: string, subscription: string): string {
  if (zones.includes(zone)) return zone;
  throw new ArmError(
    400,
    'AvailableZoneNotFound',
    `The availabilityZone '${zone}' is not found for subscription id '${subscription}'.`,
  );
}

function offeredSku({ name, tier }: { name: string; tier: string }): Sku {
  const sku = findSku(name);
  if (sku !== undefined && sku.tier === tier) return sku;
  throw new ArmError(
    400,
    'SkuNotAvailable',
    `The requested size '${name}' of tier '${tier}' is currently not available in this location.`,
  );
}

function refuseHighAvailability({ tier }: Sku, mode: string): void {
  if (mode !== 'Disabled' && tier === 'Burstable') {
    throw new ArmError(
      400,
      'HANotSupportedForBurstableTier',
      'High availability is not supported for the Burstable tier.',
    );
  }
}

function refuseStorage({ maxIops }: Sku, size: number, iops: number): void {
  if (size < MIN_STORAGE_GB || size > MAX_STORAGE_GB) throw invalid('storageSizeGB');
  if (iops < 100 || iops > maxIops) throw invalid('iops');
}

function refuseWeak(password: string, login: string): void {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password));
  const contains = password.toLowerCase().includes(login.toLowerCase());
  if (password.length >= 8 && password.length <= 128 && kinds.length >= 3 && !contains) return;
  throw new ArmError(
    400,
    'PasswordNotComplex',
    'Password validation failed. The password does not meet policy requirements because it is not complex enough.',
  );
}

function invalid(parameter: string): ArmError {
  return new ArmError(
    400,
    'InvalidParameterValue',
    `Invalid value given for parameter ${parameter}. Specify a valid parameter value.`,
  );
}
