import type { Holder } from '../checkpoint/epoch.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { readBinlogEnd } from '../mysql/watermark.ts';
import type { CopyJob } from './job.ts';
import { documentColumns } from './json-scalars.ts';
import { boundColumns } from './key-range.ts';
import type { ChunkLoad } from './load-chunk.ts';
import { loadChunk, loadWholeTable } from './load-chunk.ts';
import type { Pumped } from './pump.ts';
import type { Task } from './queue.ts';
import { withRetries } from './retry.ts';
import type { Sessions } from './sessions.ts';
import type { TableSnapshot } from './snapshot.ts';
import { snapshotTable } from './snapshot.ts';

/** Copies one chunk, again after failures that pass; keeps the table's numbers right on every way out. */
export async function copyChunk(
  job: CopyJob,
  holder: Holder,
  sessions: Sessions,
  { copy, chunk }: Task,
  signal: AbortSignal,
): Promise<void> {
  if (copy.startedAt === 0) copy.startedAt = Date.now();
  await withRetries(signal, async () => {
    let rows = 0;
    let bytes = 0;
    let left = 0;
    try {
      const patient = isLookedThroughAtOnce(copy.table);
      const { source, target, control, pool } = await sessions.open(patient);
      const pumped = await load(job, signal, {
        source,
        target,
        pool,
        holder,
        lctn: job.lctn,
        table: copy.table,
        chunk,
        onMoved: (movedRows, movedBytes) => {
          rows += movedRows;
          bytes += movedBytes;
          copy.rows += movedRows;
          copy.bytes += movedBytes;
        },
        onLeft: (documents) => {
          left += documents;
        },
        readBinlogEnd: () => readBinlogEnd(control),
      });
      copy.rows += (pumped?.rows ?? 0) - rows;
      copy.bytes += (pumped?.bytes ?? 0) - bytes;
      copy.documentsAsText += left;
    } catch (error) {
      copy.rows -= rows;
      copy.bytes -= bytes;
      sessions.reset();
      throw error;
    }
  });
  copy.chunksDone++;
  copy.endedAt = Date.now();
}

const MANY_ROWS = 100_000;

/** A large table that cannot be cut, whose documents one statement looks through for typed scalars. */
function isLookedThroughAtOnce(table: Table): boolean {
  const isCut = boundColumns(table).length === table.rowKey?.columns.length;
  return !isCut && table.estimatedRows >= MANY_ROWS && documentColumns(table).length > 0;
}

async function load(
  job: CopyJob,
  signal: AbortSignal,
  chunkLoad: ChunkLoad,
): Promise<Pumped | null> {
  const { source, table } = chunkLoad;
  if (table.rowKey !== null) return loadChunk(chunkLoad);
  let snapshot: TableSnapshot | null = null;
  try {
    return await loadWholeTable(
      chunkLoad,
      async () => {
        snapshot = await snapshotTable(job.source, source, table, signal);
        return snapshot.position;
      },
      async () => {
        await snapshot?.release();
      },
    );
  } catch (error) {
    (snapshot as TableSnapshot | null)?.abandon();
    throw error;
  }
}
