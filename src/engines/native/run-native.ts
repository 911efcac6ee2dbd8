import { requireCheckpoint } from '../../checkpoint/store.ts';
import { withConnection } from '../../mysql/connection.ts';
import { readBinlogEnd } from '../../mysql/watermark.ts';
import type { ApplyOptions } from '../../replicate/apply-changes.ts';
import { applyChanges } from '../../replicate/apply-changes.ts';
import { holdingEpoch } from '../../replicate/holding-epoch.ts';
import type { NativeJob } from './job.ts';
import { wasBegun } from './memory.ts';
import { watch } from './watch.ts';

/**
 * Lets MySQL's own replication on the target apply the source's changes, and keeps the checkpoint at what it
 * has applied. Before the first time our own applier brings the target to the source's end of that moment:
 * it is faster, and where it stops is the exact end of a transaction. Runs until aborted (rejects with the
 * signal's reason) or a failure: what stopped replication, or EPOCH_LOST.
 */
export async function runNative(job: NativeJob, options: ApplyOptions): Promise<never> {
  const { signal } = options;
  const checkpoint = await withConnection(job.target, { signal }, (c) =>
    requireCheckpoint(c, job.migration),
  );
  if (!wasBegun(checkpoint)) {
    const until = await withConnection(job.source, { signal }, readBinlogEnd);
    await applyChanges({ ...job, until }, options);
  }
  return await holdingEpoch(job, signal, (holder) => watch(job, holder, options));
}
