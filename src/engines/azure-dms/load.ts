import type { SyncView } from '../../clouds/azure/data-migration/task-view.ts';
import type { Holder } from '../../checkpoint/epoch.ts';
import { epochLost } from '../../checkpoint/epoch.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import type { CopyResult } from '../../copy/copy-tables.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { CopyProgress } from '../../workflows/messages.ts';
import { holdingEpoch } from '../../replicate/holding-epoch.ts';
import { beginSync } from './begin-sync.ts';
import { describeTask } from './describe-task.ts';
import { judgeSync, vanished, wasRefused } from './failures.ts';
import type { DmsJob } from './job.ts';
import { LoadedTables } from './loaded-tables.ts';
import { attemptOf, syncOf, useUpAttempt } from './memory.ts';
import { growingPause, patiently } from './patience.ts';
import { raiseHighToEnd } from './raise-high-to-end.ts';

/** Tables that are not named though everything is said to be loaded: so many looks long they may still come. */
const LOOKS_FOR_MISSING = 10;

interface LoadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CopyProgress) => void;
}

/**
 * Lets the service load every table; what an earlier worker has begun is taken up. The high watermark is
 * the source's end after it: from there on the rows are exact.
 */
export async function load(job: DmsJob, options: LoadOptions): Promise<CopyResult> {
  return await holdingEpoch(job, options.signal, (holder) => loadOnce(job, holder, options));
}

async function loadOnce(
  job: DmsJob,
  holder: Holder,
  { signal, onProgress }: LoadOptions,
): Promise<CopyResult> {
  const { service, project } = job;
  const tables = new LoadedTables(job.catalog);
  const tell = (engine: string) => onProgress({ ...tables.progress(), engine });
  tell('Azure DMS: looks at both servers');
  const task = await beginSync(job, holder, signal);
  const pause = growingPause(200, 2_000, signal);
  for (let missing = 0; ;) {
    const view = await patiently(signal, () => service.findTask(project, task, signal));
    const checkpoint = await withConnection(job.target, { signal }, (c) =>
      requireCheckpoint(c, job.migration),
    );
    if (checkpoint.epoch !== holder.epoch) throw epochLost(holder);
    if (view === null) throw vanished(task);
    const failure = judgeSync(task, view);
    if (failure !== null) {
      // Nothing was moved by it: what is there is good for the next one.
      if (wasRefused(view)) await useUpAttempt(job, attemptOf(checkpoint), signal);
      throw failure;
    }
    if (view.sync !== null) tables.update(view.sync);
    tell(describeTask(task, view));
    if (isLoaded(job, view.sync)) {
      if (tables.missing.length === 0) break;
      if (++missing > LOOKS_FOR_MISSING) throw leftOut(tables.missing);
    }
    await pause();
  }
  await markLoaded(job, holder, task, signal);
  return tables.result();
}

function isLoaded({ catalog }: DmsJob, sync: SyncView | null): boolean {
  // Nothing says that the service reports a database without tables.
  const filled = new Set(catalog.tables.map(({ name }) => name.schema));
  return (
    sync !== null &&
    sync.databases.length >= filled.size &&
    sync.databases.every(
      ({ loaded, tables }) => loaded && tables.loading === 0 && tables.queued === 0,
    )
  );
}

/** Once: what is noted is what converges. */
async function markLoaded(
  job: DmsJob,
  holder: Holder,
  task: string,
  signal: AbortSignal,
): Promise<void> {
  const known = await withConnection(job.target, { signal }, async (target) =>
    syncOf(await requireCheckpoint(target, job.migration)),
  );
  if (known?.loaded !== true) await raiseHighToEnd(job, holder, { loaded: task }, signal);
}

function leftOut(tables: readonly string[]): SkyferryFailure {
  return new SkyferryFailure(
    'REPLICATION_LOST',
    `Azure DMS says that it has loaded everything, and has not loaded ${tables.slice(0, 10).join(', ')}`,
    {
      safe: 'the source takes writes as before; nothing reads the target yet',
      next: 'switch-engine loads everything anew with another engine',
    },
  );
}
