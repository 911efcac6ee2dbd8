import type { MigrationConfig } from '../../config/schema.ts';

/** Also of a service that nobody has asked for yet. */
type Priced = Pick<MigrationConfig, 'azureDms'>;

/**
 * Pay-as-you-go, USD an hour for all 4 vCores of the Premium tier: an estimate; the vendor names no rate
 * that holds in all regions, and could not be asked for this. `azureDms.hourlyPrice` overrides it.
 */
const HOURLY = 0.37;
const FROM =
  'an estimate, entered 2026-11-23; said to be free for the first 183 days; set the hourlyPrice of azureDms for your own';

export function dmsPrice(config: Priced): number {
  return config.azureDms?.hourlyPrice ?? HOURLY;
}

export function dmsPriceBasis(config: Priced): string {
  return config.azureDms?.hourlyPrice === undefined ? FROM : 'by your price';
}

export function describeDmsPrice(config: Priced): string {
  return `about ${dmsPrice(config)} USD an hour (${dmsPriceBasis(config)})`;
}
