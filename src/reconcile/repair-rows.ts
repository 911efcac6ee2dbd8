import type { Holder } from '../checkpoint/epoch.ts';
import { loadRows } from '../copy/load-rows.ts';
import { raiseHigh } from '../copy/raise-high.ts';
import { withRetries } from '../copy/retry.ts';
import { Sessions } from '../copy/sessions.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { displayName } from '../mysql/identifier.ts';
import type { FilePosition } from '../mysql/position.ts';
import { readBinlogEnd } from '../mysql/watermark.ts';
import type { KeyValue } from '../verify/row-form.ts';
import { equalsKey, rowForm } from '../verify/row-form.ts';
import type { ReconcileJob } from './job.ts';

const KEYS_A_TRANSACTION = 500;

/**
 * Copies the rows of some keys again: what the target has under them goes, what the source has now comes.
 * Nobody may apply meanwhile; `holder` has the epoch, so that an applier thought dead cannot commit.
 *
 * It is a chunk like those of the copy, and as exact: the rows are read at a moment s after the committed
 * position, and s goes into the high watermark in the same transaction. Every later event of such a key
 * sets its whole row, so the row is right once the position has reached s. A cascade between the
 * position and s may once more miss a row that is ahead of it; so a comparison has to follow.
 */
export async function repairRows(
  job: Pick<ReconcileJob, 'source' | 'target' | 'lctn'>,
  holder: Holder,
  table: Table,
  keys: readonly (readonly KeyValue[])[],
  { signal, onProgress }: { signal: AbortSignal; onProgress: (keys: number) => void },
): Promise<void> {
  const form = rowForm(table, job.lctn);
  const sessions = new Sessions(job.source, job.target, signal);
  try {
    for (let from = 0; from < keys.length; from += KEYS_A_TRANSACTION) {
      const part = keys.slice(from, from + KEYS_A_TRANSACTION);
      // By the column's collation, on both servers alike: 'abc' means the row 'ABC' too.
      const condition = part.map((key) => `(${equalsKey(form.keyColumns, key)})`).join(' OR ');
      await withRetries(signal, async () => {
        const { source, target, pool, control } = await sessions.open();
        try {
          await target.run('START TRANSACTION');
          await target.run(`DELETE FROM ${form.name.target} WHERE ${condition}`);
          let high: FilePosition | null = null;
          await loadRows(
            {
              source,
              target,
              pool,
              lctn: job.lctn,
              table,
              what: `${displayName(table.name)}, repaired rows`,
              onMoved: () => {},
            },
            condition,
            async () => {
              high = await readBinlogEnd(control);
            },
          );
          await raiseHigh(target, holder, high);
          await target.run('COMMIT');
        } catch (error) {
          // Closing the session rolls back, whatever state the failure left it in.
          sessions.reset();
          throw error;
        }
      });
      onProgress(part.length);
    }
  } finally {
    await sessions.close();
  }
}
