import { remember } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Position } from '../mysql/position.ts';
import type { TouchedVerdict } from '../verify/compare-touched.ts';
import { compareTouched } from '../verify/compare-touched.ts';
import type { Verdict } from '../verify/verdict.ts';
import type { CutoverJob } from './job.ts';

/** ROWS_DIFFER when anything differs; the keys are kept in the checkpoint, on the target. */
export async function compareResidue(
  job: CutoverJob,
  range: { from: Position; to: Position | null; atRest: boolean },
  signal: AbortSignal,
): Promise<TouchedVerdict> {
  const verdict = await compareTouched({ ...job, ...range }, { signal, onProgress: () => {} });
  if (verdict.equal && (!range.atRest || verdict.unsettledCount === 0)) return verdict;
  const { differing, unsettled } = verdict;
  await withConnection(job.target, { signal }, async (connection) => {
    await remember(connection, job.migration, { verification: { differing, unsettled } });
  });
  throw rowsDiffer(verdict);
}

/** Counts and tables alone: keys are row values. */
function rowsDiffer(verdict: Verdict): SkyferryFailure {
  const tables = verdict.tables
    .filter(({ differing }) => differing > 0)
    .map(({ table, differing }) => `${table} (${differing})`);
  const { differingCount, unsettledCount } = verdict;
  const unsettled = [...new Set(verdict.unsettled.map(({ table }) => table))];
  const found = [
    ...(differingCount > 0
      ? [`${differingCount} rows differ between source and target: ${tables.join(', ')}`]
      : []),
    ...(unsettledCount > 0
      ? [`${unsettledCount} rows were still changing when compared: ${unsettled.join(', ')}`]
      : []),
    ...(differingCount === 0 && unsettledCount === 0 ? ['nothing could be compared'] : []),
  ];
  return new SkyferryFailure('ROWS_DIFFER', found.join('; '), {
    safe: 'nothing was switched; the source takes writes',
    next: 'skyferry verify names the keys; repair those rows on the target, then retry',
  });
}
