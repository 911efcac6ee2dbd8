import { awaitLag, persistently, verifyTables } from '../activities.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { located, milestone, park } from '../migration.ts';
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
  if (!result.equal) {
    const tables = result.tables.filter(({ differing }) => differing > 0).map(({ table }) => table);
    return park(migration, 'verifying', {
      code: 'ROWS_DIFFER',
      message: `${result.differing} rows differ in ${tables.slice(0, 20).join(', ')}`,
      safe: 'the source takes writes as before; nothing was switched',
      next: 'skyferry report names the keys; repair those rows on the target, then retry',
    });
  }
  milestone(migration, `${result.rows} rows are equal on both sides`);
  return 'awaiting-window';
}
