import type { MigrationConfig } from '../../config/schema.ts';
import { dmsConfig } from './dms.ts';

/**
 * Pay-as-you-go, USD an hour for all 4 vCores of the Premium tier: an estimate; the vendor names no rate
 * that holds in all regions, and could not be asked for this. `azureDms.hourlyPrice` overrides it.
 */
const HOURLY = 0.37;
const FROM =
  'an estimate, entered 2026-11-23; said to be free for the first 183 days; set azureDms.hourlyPrice for your own';

export function dmsPrice(config: MigrationConfig): number {
  return dmsConfig(config).hourlyPrice ?? HOURLY;
}

export function dmsPriceBasis(config: MigrationConfig): string {
  return dmsConfig(config).hourlyPrice === undefined ? FROM : 'by your price';
}

export function describeDmsPrice(config: MigrationConfig): string {
  return `about ${dmsPrice(config)} USD an hour (${dmsPriceBasis(config)})`;
}
