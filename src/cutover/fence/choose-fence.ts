import type { LocatedConfig } from '../../config/located.ts';
import { durationMs } from '../../config/schema.ts';
import type { FenceCapabilities, Lack } from './capabilities.ts';
import type { FenceKind } from './fence.ts';

export type FenceChoice =
  | { readonly kind: FenceKind; readonly refused?: undefined }
  | { readonly kind?: undefined; readonly refused: string; readonly fix: string };

/** Until a parameter of a group in use is a running server's own, once. */
const RDS_PROPAGATION_MS = 60_000;

/**
 * The kind that is configured, or the safest one that the account may raise: `super-read-only` stops
 * everybody, `account-lock` takes a second, `rds-read-only` minutes.
 */
export function chooseFence(
  config: Pick<LocatedConfig, 'source' | 'cutover'>,
  capabilities: FenceCapabilities,
): FenceChoice {
  const wanted = config.cutover.fence;
  if (wanted !== 'auto') return judged(wanted, config, capabilities);
  for (const kind of ['super-read-only', 'account-lock', 'rds-read-only'] as const) {
    const choice = judged(kind, config, capabilities);
    if (choice.refused === undefined) return choice;
  }
  const wants = config.source.kind === 'mysql' ? 'super-read-only' : 'account-lock';
  return judged(wants, config, capabilities);
}

function judged(
  kind: FenceKind,
  config: Pick<LocatedConfig, 'source' | 'cutover'>,
  capabilities: FenceCapabilities,
): FenceChoice {
  const { user } = capabilities;
  const lacks = (missing: readonly Lack[]): FenceChoice | null =>
    missing.length === 0
      ? null
      : {
          refused: `${user} lacks ${missing.map(({ what }) => what).join(', ')} for the fence ${kind}`,
          fix: remedy(missing),
        };
  switch (kind) {
    case 'super-read-only':
      return lacks(capabilities.superReadOnly) ?? { kind };
    case 'account-lock':
      return lacks(capabilities.accountLock) ?? { kind };
    case 'rds-read-only':
      return lacks(capabilities.proof) ?? refusedOnRds(config) ?? { kind };
    case 'account-lock+rds-read-only':
      return lacks(capabilities.accountLock) ?? refusedOnRds(config) ?? { kind };
    case 'aurora-read-only':
      return lacks(capabilities.auroraReadOnly) ?? { kind };
  }
}

function remedy(missing: readonly Lack[]): string {
  const grants = missing.flatMap(({ grant }) => (grant === null ? [] : [grant]));
  return grants.length === missing.length ? grants.join(' ') : 'choose another cutover.fence';
}

function refusedOnRds({
  source,
  cutover,
}: Pick<LocatedConfig, 'source' | 'cutover'>): FenceChoice | null {
  if (source.kind !== 'rds-mysql') {
    return {
      refused: 'read_only is a parameter only of an RDS instance (source.kind rds-mysql)',
      fix: 'choose another cutover.fence',
    };
  }
  if (durationMs(cutover.downtimeBudget) >= 2 * RDS_PROPAGATION_MS) return null;
  return {
    refused: `a parameter takes up to ${RDS_PROPAGATION_MS / 1000} s to arrive, and as long to be put back: the downtime budget is ${cutover.downtimeBudget}`,
    fix: `set cutover.downtimeBudget to at least ${(2 * RDS_PROPAGATION_MS) / 1000}s, or choose account-lock`,
  };
}
