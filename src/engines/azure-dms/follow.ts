import type { Holder } from '../../checkpoint/epoch.ts';
import { epochLost } from '../../checkpoint/epoch.ts';
import type { Checkpoint } from '../../checkpoint/store.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { FilePosition } from '../../mysql/position.ts';
import type { ApplyProgress } from '../../workflows/messages.ts';
import type { ApplyOptions } from '../../replicate/apply-changes.ts';
import { holdingEpoch } from '../../replicate/holding-epoch.ts';
import { isRemoved } from '../native/memory.ts';
import { givenUp } from './failures.ts';
import type { DmsJob } from './job.ts';
import { syncOf } from './memory.ts';
import { pausing } from './patience.ts';
import { isOver, TaskWatch } from './watch-task.ts';
import { witness } from './witness/witness.ts';

/** Short: somebody may wait for what a cutover that was taken back left to apply. */
const IDLE_MS = 500;

/**
 * Watches the service's task, and beside it what arrives on the target: that moves the checkpoint's position.
 * Resolves when a cutover that had begun to complete the task was taken back: somebody else has to go on.
 * Else until aborted, or a failure of either.
 */
export async function followUntilTakenBack(job: DmsJob, options: ApplyOptions): Promise<void> {
  const { signal, onProgress } = options;
  await holdingEpoch(job, signal, async (holder) => {
    for (;;) {
      const checkpoint = await withConnection(job.target, { signal }, (c) =>
        requireCheckpoint(c, job.migration),
      );
      if (checkpoint.epoch !== holder.epoch) throw epochLost(holder);
      if (isRemoved(checkpoint)) {
        onProgress(standing(checkpoint, 'Azure DMS: completed for the cutover'));
        await pausing(IDLE_MS, signal);
      } else if (isOver(checkpoint)) return;
      else await follow(job, holder, checkpoint, options, null);
    }
  });
}

/** Until everything up to there was seen on the target. */
export async function followUntil(
  job: DmsJob,
  until: FilePosition,
  options: ApplyOptions,
): Promise<void> {
  const { signal } = options;
  await holdingEpoch(job, signal, async (holder) => {
    const checkpoint = await withConnection(job.target, { signal }, (c) =>
      requireCheckpoint(c, job.migration),
    );
    await follow(job, holder, checkpoint, options, until);
  });
}

/** Resolves when `until` was seen, or the task is not wanted any more. */
async function follow(
  job: DmsJob,
  holder: Holder,
  checkpoint: Checkpoint,
  { signal, onProgress }: ApplyOptions,
  until: FilePosition | null,
): Promise<void> {
  const sync = syncOf(checkpoint);
  if (sync === null) throw givenUp();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const watch = new TaskWatch(job, holder, sync.task);
  const unseen = whatLagLeavesOut(job);
  const both = [
    watch.run(either),
    witness(job, holder, {
      signal: either,
      onProgress: (progress) => onProgress({ ...progress, engine: `${watch.text}${unseen}` }),
      settled: () => watch.settled(),
      ...(until !== null && { until }),
    }),
  ];
  try {
    await Promise.race(both);
  } finally {
    stop.abort();
    await Promise.allSettled(both);
  }
}

/** Of tables without a key the witness sees nothing. */
function whatLagLeavesOut({ catalog }: DmsJob): string {
  const count = catalog.tables.filter(({ rowKey }) => rowKey === null).length;
  return count === 0 ? '' : `; the lag leaves out tables without a key (${count})`;
}

/** While nothing moves the checkpoint. */
export function standing(checkpoint: Checkpoint, engine: string): ApplyProgress {
  const { position, sourceTime, createdAt, transactions, rowChanges } = checkpoint;
  return {
    lagMs: Math.max(0, Date.now() - Date.parse(sourceTime ?? createdAt)),
    transactions,
    rowChanges,
    position: { file: position?.file ?? '', offset: position?.offset ?? 0 },
    sourceSeenAt: new Date().toISOString(),
    engine,
  };
}
