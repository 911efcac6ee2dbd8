import type { SyncView } from '../../clouds/azure/data-migration/task-view.ts';
import type { Holder } from '../../checkpoint/epoch.ts';
import { epochLost } from '../../checkpoint/epoch.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import type { CopyResult } from '../../copy/copy-tables.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { CopyProgress } from '../../workflows/messages.ts';
import { holdingEpoch } from '../holding-epoch.ts';
import { beginSync } from './begin-sync.ts';
import { judgeSync, vanished, wasRefused } from './failures.ts';
import type { DmsJob } from './job.ts';
import { LoadedTables } from './loaded-tables.ts';
import { memoryOf, rememberDms, useUpAttempt } from './memory.ts';
import { patiently, pausing } from './patience.ts';
import { raiseHighToEnd } from './raise-high-to-end.ts';

const POLL_MS = 1_000;
/** Tables that are not named though everything is said to be loaded: so many looks long they may still come. */
const LOOKS_FOR_MISSING = 10;

export interface LoadOptions {
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
  const task = await beginSync(job, holder, signal);
  const tables = new LoadedTables(job.catalog);
  for (let missing = 0; ;) {
    const view = await patiently(signal, () => service.findTask(project, task, signal));
    await assertHeld(job, holder, signal);
    if (view === null) throw vanished(task);
    const failure = judgeSync(task, view);
    if (failure !== null) {
      // Nothing was moved by it: what is there is good for the next one.
      if (wasRefused(view)) await useUpAttempt(job, signal);
      throw failure;
    }
    if (view.sync !== null) tables.update(view.sync);
    onProgress(tables.progress());
    if (isLoaded(job, view.sync)) {
      if (tables.missing.length === 0) break;
      if (++missing > LOOKS_FOR_MISSING) throw leftOut(tables.missing);
    }
    await pausing(POLL_MS, signal);
  }
  await markLoaded(job, holder, signal);
  return tables.result();
}

function isLoaded({ catalog }: DmsJob, sync: SyncView | null): boolean {
  return (
    sync !== null &&
    sync.databases.length >= catalog.schemas.length &&
    sync.databases.every(
      ({ loaded, tables }) => loaded && tables.loading === 0 && tables.queued === 0,
    )
  );
}

/** A second time when it was killed in between: a later end does no harm. */
async function markLoaded(job: DmsJob, holder: Holder, signal: AbortSignal): Promise<void> {
  const { target, migration } = job;
  const { loaded } = await withConnection(target, { signal }, async (connection) =>
    memoryOf(await requireCheckpoint(connection, migration)),
  );
  if (loaded === true) return;
  await raiseHighToEnd(job, holder, signal);
  await withConnection(target, { signal }, (c) => rememberDms(c, migration, { loaded: true }));
}

async function assertHeld(job: DmsJob, holder: Holder, signal: AbortSignal): Promise<void> {
  const { epoch } = await withConnection(job.target, { signal }, (c) =>
    requireCheckpoint(c, job.migration),
  );
  if (epoch !== holder.epoch) throw epochLost(holder);
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
