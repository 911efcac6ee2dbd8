import { setMaxListeners } from 'node:events';
import type { Holder } from '../checkpoint/epoch.ts';
import { acquireEpoch } from '../checkpoint/epoch.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import { withConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import type { CopyProgress } from '../workflows/messages.ts';
import { copyChunk } from './copy-chunk.ts';
import { cutTables } from './cut-tables.ts';
import type { CopyJob } from './job.ts';
import type { TableCopy } from './progress.ts';
import { newTableCopy, progressOf } from './progress.ts';
import { ChunkQueue } from './queue.ts';
import { Sessions } from './sessions.ts';

export interface CopyResult {
  readonly rows: number;
  readonly bytes: number;
  /** Rows and bytes of the whole table; the rest of this run only. */
  readonly tables: readonly {
    table: string;
    rows: number;
    bytes: number;
    seconds: number;
    /** JSON documents with a scalar of a type that no expression makes: their text is right, that type is not. */
    documentsAsText: number;
  }[];
}

const PROGRESS_MS = 500;

/**
 * Copies the rows of every table of the catalog into the tables that exist on the target. Takes the
 * migration's epoch, so an earlier run that still lives stops with EPOCH_LOST; repeats only what no run
 * has committed. Needs the checkpoint with its starting position, taken before this is called.
 */
export async function copyTables(
  job: CopyJob,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (p: CopyProgress) => void },
): Promise<CopyResult> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  // Every session listens, and so does everybody who waits for a chunk.
  setMaxListeners(0, either);
  const epoch = await withConnection(job.target, { signal: either }, (target) =>
    acquireEpoch(target, job.migration),
  );
  const holder: Holder = { name: job.migration, epoch };
  const copies = bySize(job.catalog).map(newTableCopy);
  const queue = new ChunkQueue(copies);
  const ticker = setInterval(() => onProgress(progressOf(copies)), PROGRESS_MS);
  try {
    await allOrFirstFailure(stop, [
      cutTables(job, holder, copies, queue, either),
      ...Array.from({ length: Math.max(1, job.parallel) }, () =>
        copyQueued(job, holder, queue, either),
      ),
    ]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(ticker);
    onProgress(progressOf(copies));
  }
  return resultOf(copies);
}

/** Big tables first: the last to end decides how long it takes. */
function bySize(catalog: Catalog) {
  return [...catalog.tables].sort((a, b) => b.estimatedBytes - a.estimatedBytes);
}

async function copyQueued(
  job: CopyJob,
  holder: Holder,
  queue: ChunkQueue,
  signal: AbortSignal,
): Promise<void> {
  const sessions = new Sessions(job.source, job.target, signal);
  try {
    for (;;) {
      const task = await queue.take(signal);
      if (task === null) return;
      await copyChunk(job, holder, sessions, task, signal);
      queue.finished(task);
    }
  } finally {
    await sessions.close();
  }
}

/** Ends everything at the first failure and reports that one, not its consequences. */
async function allOrFirstFailure(
  stop: AbortController,
  works: readonly Promise<void>[],
): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    works.map((work) =>
      work.catch((error: unknown) => {
        failures.push(error);
        stop.abort(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

function resultOf(copies: readonly TableCopy[]): CopyResult {
  const tables = copies.map((copy) => ({
    table: displayName(copy.table.name),
    rows: copy.rows,
    bytes: copy.bytes,
    documentsAsText: copy.documentsAsText,
    seconds: Math.max(0, copy.endedAt - copy.startedAt) / 1000,
  }));
  return {
    rows: tables.reduce((n, t) => n + t.rows, 0),
    bytes: tables.reduce((n, t) => n + t.bytes, 0),
    tables,
  };
}
