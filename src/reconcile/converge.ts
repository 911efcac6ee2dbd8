import { requireCheckpoint } from '../checkpoint/store.ts';
import { isFailure } from '../failures.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { withConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import { applyChanges } from '../replicate/apply-changes.ts';
import type { ReconcileJob } from './job.ts';
import type { Reconciled, ReconcileOptions } from './reconcile.ts';
import { reconcile } from './reconcile.ts';
import { recopyTable } from './recopy-table.ts';
import { everyRoot, tablesAtRisk } from './tables-at-risk.ts';

const ATTEMPTS = 5;
const KEY_NOT_FOUND = 1032;

/**
 * Applies changes until every copied row is exact, those too that unlogged cascades missed. A table
 * without a key whose rows a cascade missed stops the applier at the next change of such a row: it
 * is copied again from a snapshot after that change.
 */
export async function converge(job: ReconcileJob, options: ReconcileOptions): Promise<Reconciled> {
  const recopied: { table: string; rows: number }[] = [];
  for (let attempt = 1; ; attempt++) {
    try {
      const high = await readHigh(job, options.signal);
      // Nothing was copied (no tables): nothing has to become exact.
      if (high === null) return { rounds: 0, repaired: [] };
      await applyChanges(
        { ...job, until: high },
        { signal: options.signal, onProgress: (apply) => options.onProgress({ apply }) },
      );
      const { rounds, repaired } = await reconcile(job, options);
      return { rounds, repaired: [...recopied, ...repaired] };
    } catch (error) {
      const rowMissing = isFailure(error, 'ROWS_DIFFER') && error.detail.errno === KEY_NOT_FOUND;
      const tables = keylessAtRisk(job);
      if (!rowMissing || tables.length === 0 || attempt === ATTEMPTS) throw error;
      for (const table of tables) {
        options.onProgress({ step: `copying ${displayName(table.name)} again` });
        const rows = await recopyTable(job, table, {
          signal: options.signal,
          onProgress: (copy) => options.onProgress({ copy }),
        });
        recopied.push({ table: displayName(table.name), rows });
      }
    }
  }
}

function keylessAtRisk({ catalog }: ReconcileJob): Table[] {
  return tablesAtRisk(catalog, everyRoot(catalog)).filter(({ rowKey }) => rowKey === null);
}

async function readHigh({ target, migration }: ReconcileJob, signal: AbortSignal) {
  const { high } = await withConnection(target, { signal }, (c) => requireCheckpoint(c, migration));
  return high;
}
