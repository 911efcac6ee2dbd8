import { acquireEpoch, assertEpoch } from '../checkpoint/epoch.ts';
import { copyTables } from '../copy/copy-tables.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { withConnection } from '../mysql/connection.ts';
import type { CopyProgress } from '../workflows/messages.ts';
import type { ReconcileJob } from './job.ts';

/**
 * Copies a table without a key again, as a whole, from a new snapshot: its rows cannot be told apart.
 * Nobody may apply meanwhile. What was applied to it so far goes with its rows, and events up to the
 * snapshot are skipped. Returns how many rows there are.
 */
export async function recopyTable(
  job: Omit<ReconcileJob, 'batchRows' | 'start' | 'parallel'>,
  table: Table,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: CopyProgress) => void },
): Promise<number> {
  await withConnection(job.target, { signal }, async (target) => {
    const holder = { name: job.migration, epoch: await acquireEpoch(target, job.migration) };
    await target.query('START TRANSACTION');
    await assertEpoch(target, holder);
    await target.execute(
      `UPDATE skyferry.copied_chunk SET done = 0
       WHERE migration = ? AND schema_name = ? AND table_name = ?`,
      [job.migration, table.name.schema, table.name.name],
    );
    await target.query('COMMIT');
  });
  // The copy does what is not marked as done; killed before, the former rows are still there, as they were.
  const { rows } = await copyTables(
    { ...job, catalog: { ...job.catalog, tables: [table] }, parallel: 1 },
    { signal, onProgress },
  );
  return rows;
}
