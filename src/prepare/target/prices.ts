import type { AzureTargetConfig } from '../../config/schema.ts';

/**
 * Pay-as-you-go prices in US West as a public estimate gave them when this table was entered; the vendor's
 * own page could not be read for it. Regions, agreements and time change them: `target.hourlyPrices`
 * overrides it.
 */
const PRICES_FROM =
  'an estimate for US West, entered 2026-11-23; set target.hourlyPrices for your own';

/** USD an hour for each vCore. */
const perVCore: Readonly<Record<string, number>> = { D: 0.0975, E: 0.131 };

/** USD an hour. Burstable sizes do not follow their vCores. */
const burstable: Readonly<Record<string, number>> = {
  Standard_B1s: 0.011,
  Standard_B1ms: 0.022,
  Standard_B2s: 0.088,
  Standard_B2ms: 0.176,
};
const perBurstableVCore = 0.088;

const storagePerGbMonth = 0.138;
const HOURS_A_MONTH = 730;

/** Compute in USD an hour; null: neither the table nor the user names one. */
export function skuPrice(sku: string, target: AzureTargetConfig): number | null {
  const own = target.hourlyPrices[sku];
  if (own !== undefined) return own;
  const known = burstable[sku];
  if (known !== undefined) return known;
  const [, series = '', vCores = ''] = /^Standard_([BDE])(\d+)/.exec(sku) ?? [];
  const rate = series === 'B' ? perBurstableVCore : perVCore[series];
  return rate === undefined ? null : round(rate * Number(vCores));
}

/** Compute and storage; a standby costs the same again. */
export function serverPrice(
  {
    sku,
    storageGb,
    standby,
  }: { readonly sku: string; readonly storageGb: number; readonly standby: boolean },
  target: AzureTargetConfig,
): number | null {
  const compute = skuPrice(sku, target);
  if (compute === null) return null;
  const storage = (storageGb * storagePerGbMonth) / HOURS_A_MONTH;
  return round((compute + storage) * (standby ? 2 : 1));
}

export function describePrice(price: number | null, target: AzureTargetConfig): string {
  if (price === null) return 'a price that is not in the table (set target.hourlyPrices)';
  return `about ${price} USD an hour (${priceBasis(target)})`;
}

export function priceBasis({ hourlyPrices }: AzureTargetConfig): string {
  return Object.keys(hourlyPrices).length > 0 ? 'by your prices' : PRICES_FROM;
}

function round(price: number): number {
  return Math.round(price * 10_000) / 10_000;
}
