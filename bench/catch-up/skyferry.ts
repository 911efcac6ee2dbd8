import { applyChanges } from '../../src/replicate/apply-changes.ts';
import type { Bench } from '../bench.ts';
import { limits, openJob, startMigration } from '../migration.ts';
import type { Changes } from './change-rows.ts';

/** Reading the binlog from the source included. */
export async function skyferryCatchUp(bench: Bench, { from, to }: Changes): Promise<void> {
  await startMigration(bench, from);
  const job = await openJob(bench);
  await applyChanges(
    { ...job, batchRows: limits.applyBatchRows, until: to },
    { signal: bench.signal, onProgress: () => {} },
  );
}
