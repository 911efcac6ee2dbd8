import { awaitLag, persistently, verifyTables } from '../activities.ts';
import type { FailureSummary } from '../failures.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { located } from '../located.ts';
import { milestone, park } from '../migration.ts';
import type { VerifyResult } from '../results.ts';
import { mustResize } from './preparing.ts';
import { nowIso } from '../state.ts';

export async function catchingUp(migration: Migration): Promise<Phase> {
  const { state } = migration;
  const { lagMs } = await persistently(() => awaitLag({ config: located(migration) }));
  state.lagMs = lagMs;
  if (mustResize(migration)) return 'resizing';
  return state.verification?.equal === true ? 'awaiting-window' : 'verifying';
}

export async function verifying(migration: Migration): Promise<Phase> {
  const { state } = migration;
  state.verifiedOnce = true;
  const result = await persistently(() => verifyTables({ config: located(migration) }));
  state.verification = { ...result, at: nowIso() };
  if (!result.equal) return park(migration, 'verifying', notEqual(result));
  milestone(migration, `${result.rows} rows are equal on both sides`);
  return 'awaiting-window';
}

function notEqual({ differing, tables }: VerifyResult): FailureSummary {
  const safe = 'the source takes writes as before; nothing was switched';
  // Equality of nothing with nothing would prove nothing.
  if (differing === 0) {
    return {
      code: 'ROWS_DIFFER',
      message: 'nothing was compared: the schemas hold no tables',
      safe,
      next: 'see whether `schemas` names what is to be moved and the source account may read it, then retry',
    };
  }
  const named = tables.filter((table) => table.differing > 0).map(({ table }) => table);
  return {
    code: 'ROWS_DIFFER',
    message: `${differing} rows differ in ${named.slice(0, 20).join(', ')}`,
    safe,
    next: 'skyferry report names the keys; repair those rows on the target, then retry',
  };
}
