import type { Holder } from '../checkpoint/epoch.ts';
import { openConnection } from '../mysql/connection.ts';
import { openRawConnection } from '../mysql/open-raw-connection.ts';
import { addChunks, markCut, readChunks } from './chunks.ts';
import { cutTable, rowsPerChunk } from './cut.ts';
import type { CopyJob } from './job.ts';
import type { TableCopy } from './progress.ts';
import type { ChunkQueue } from './queue.ts';
import { withRetries } from './retry.ts';
import { sourceSession } from './sessions.ts';

/**
 * Queues what is left to copy: chunks that an earlier run has cut and not done, then the rest of the
 * cutting. A chunk is in the checkpoint before it is queued, so every run has the same ones.
 */
export async function cutTables(
  job: CopyJob,
  holder: Holder,
  copies: readonly TableCopy[],
  queue: ChunkQueue,
  signal: AbortSignal,
): Promise<void> {
  for (const copy of copies) {
    await withRetries(signal, () => queueTable(job, holder, copy, queue, signal));
    copy.cut = true;
    queue.close(copy);
  }
}

async function queueTable(
  job: CopyJob,
  holder: Holder,
  copy: TableCopy,
  queue: ChunkQueue,
  signal: AbortSignal,
): Promise<void> {
  const { table } = copy;
  await using target = await openConnection(job.target, { signal });
  const known = await readChunks(target, job.migration, table.name);
  // What an attempt before this one has queued already is not queued again.
  const fresh = known.chunks.slice(copy.chunksTotal);
  for (const chunk of fresh.filter((c) => c.done)) {
    copy.rows += chunk.rows;
    copy.bytes += chunk.bytes;
    copy.chunksDone++;
  }
  copy.chunksTotal = known.chunks.length;
  queue.add(
    copy,
    fresh.filter((chunk) => !chunk.done),
  );
  if (known.cut) return;

  const last = known.chunks.at(-1)?.range;
  // A last chunk without an upper bound covers the rest: only the mark is missing.
  if (last === undefined || last.upper !== null) {
    const rows = rowsPerChunk(table, job.chunkRows);
    const source = await openRawConnection(job.source, { signal, session: sourceSession });
    try {
      for await (const ranges of cutTable(source, table, rows, last?.upper ?? null)) {
        const first = copy.chunksTotal;
        await addChunks(target, holder, table.name, first, ranges);
        copy.chunksTotal += ranges.length;
        queue.add(
          copy,
          ranges.map((range, i) => ({ number: first + i, range, done: false, rows: 0, bytes: 0 })),
        );
      }
    } finally {
      await source.close();
    }
  }
  await markCut(target, holder, table.name, copy.chunksTotal);
}
