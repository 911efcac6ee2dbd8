export type Tier = 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized';

export interface Sku {
  readonly name: string;
  readonly tier: Tier;
  readonly vCores: number;
  readonly memoryPerVCoreMb: number;
  readonly maxIops: number;
  readonly maxConnections: number;
}

function sku(
  name: string,
  tier: Tier,
  [vCores, memoryPerVCoreMb, maxIops, maxConnections]: [number, number, number, number],
): Sku {
  return { name, tier, vCores, memoryPerVCoreMb, maxIops, maxConnections };
}

/** Sizes of compute that the sandbox's regions offer; the numbers are those of the public documentation. */
export const skus: readonly Sku[] = [
  sku('Standard_B1ms', 'Burstable', [1, 2048, 640, 341]),
  sku('Standard_B2s', 'Burstable', [2, 2048, 1280, 683]),
  sku('Standard_B2ms', 'Burstable', [2, 4096, 1700, 1365]),
  sku('Standard_D2ds_v4', 'GeneralPurpose', [2, 4096, 3200, 1365]),
  sku('Standard_D4ds_v4', 'GeneralPurpose', [4, 4096, 6400, 2731]),
  sku('Standard_D8ds_v4', 'GeneralPurpose', [8, 4096, 12_800, 5461]),
  sku('Standard_D16ds_v4', 'GeneralPurpose', [16, 4096, 20_000, 10_923]),
  sku('Standard_D32ds_v4', 'GeneralPurpose', [32, 4096, 20_000, 21_845]),
  sku('Standard_D2ads_v5', 'GeneralPurpose', [2, 4096, 3200, 1365]),
  sku('Standard_D4ads_v5', 'GeneralPurpose', [4, 4096, 6400, 2731]),
  sku('Standard_D8ads_v5', 'GeneralPurpose', [8, 4096, 12_800, 5461]),
  sku('Standard_D16ads_v5', 'GeneralPurpose', [16, 4096, 20_000, 10_923]),
  sku('Standard_E2ds_v4', 'MemoryOptimized', [2, 8192, 5000, 2731]),
  sku('Standard_E4ds_v4', 'MemoryOptimized', [4, 8192, 10_000, 5461]),
  sku('Standard_E8ds_v4', 'MemoryOptimized', [8, 8192, 18_000, 10_923]),
  sku('Standard_E16ds_v4', 'MemoryOptimized', [16, 8192, 28_000, 21_845]),
  sku('Standard_E32ds_v4', 'MemoryOptimized', [32, 8192, 38_000, 43_691]),
  sku('Standard_E2ads_v5', 'MemoryOptimized', [2, 8192, 5000, 2731]),
  sku('Standard_E4ads_v5', 'MemoryOptimized', [4, 8192, 10_000, 5461]),
  sku('Standard_E8ads_v5', 'MemoryOptimized', [8, 8192, 18_000, 10_923]),
];

export const regions: readonly string[] = [
  'germanywestcentral',
  'westeurope',
  'northeurope',
  'eastus',
  'eastus2',
  'southeastasia',
];
export const versions: readonly string[] = ['5.7', '8.0.21', '8.4'];
export const zones: readonly string[] = ['1', '2', '3'];
export const MIN_STORAGE_GB = 20;
export const MAX_STORAGE_GB = 16_384;

export function findSku(name: string): Sku | undefined {
  return skus.find((one) => one.name.toLowerCase() === name.toLowerCase());
}

/** Regions are written `West Europe` or `westeurope`. */
export function normalRegion(location: string): string {
  return location.toLowerCase().replaceAll(' ', '');
}

/** In bytes. What the real ones have would not fit here: as small a share of it as a sandbox can bear. */
export function bufferPoolBytes({ vCores, memoryPerVCoreMb }: Sku): number {
  const mebibytes = Math.round((vCores * memoryPerVCoreMb) / 128);
  return Math.min(512, Math.max(64, mebibytes)) * 1024 * 1024;
}
