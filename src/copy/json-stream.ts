import { parseTextRow } from '../mysql/packets.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';

const BATCH_ROWS = 1_000;
const BATCH_BYTES = 256 * 1024;

export type TextRow = readonly (Buffer | null)[];

/** Reads rows and gives them on in batches; the source waits while one is worked on. */
export async function inBatches(
  source: RawConnection,
  select: string,
  work: (rows: readonly TextRow[]) => Promise<void>,
): Promise<void> {
  let batch: TextRow[] = [];
  let bytes = 0;
  let failure: unknown = null;
  const flush = async () => {
    const full = batch;
    batch = [];
    bytes = 0;
    try {
      await work(full);
      source.resume();
    } catch (error) {
      failure ??= error;
      source.destroy();
    }
  };
  try {
    await source.selectRows(select, (buffer, start, end) => {
      batch.push(parseTextRow(buffer, start, end));
      bytes += end - start;
      if (batch.length < BATCH_ROWS && bytes < BATCH_BYTES) return true;
      void flush();
      return false;
    });
  } catch (error) {
    throw failure ?? error;
  }
  if (batch.length > 0) await work(batch);
}
