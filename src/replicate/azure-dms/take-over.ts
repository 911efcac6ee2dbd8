import { acquireEpoch } from '../../checkpoint/epoch.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { DmsJob } from './job.ts';
import { rememberDms, syncOf } from './memory.ts';
import { raiseHighToEnd } from './raise-high-to-end.ts';
import { endTask } from './release.ts';

/**
 * For our own applier, after a cutover that was taken back: the service's task is at its end, and everything
 * it can have applied lies before the high watermark. Returns whether the rows have yet to converge from
 * the checkpoint's position. May be repeated.
 */
export async function takeOver(
  job: DmsJob,
  signal: AbortSignal,
): Promise<'has to converge' | 'is exact'> {
  const { target, migration } = job;
  const sync = await withConnection(target, { signal }, async (connection) =>
    syncOf(await requireCheckpoint(connection, migration)),
  );
  if (sync === null) throw new SkyferryFailure('INTERNAL', 'no task of Azure DMS was begun');
  if (sync.takenOver) return 'is exact';
  await endTask(job, sync.task, signal);
  const epoch = await withConnection(target, { signal }, (c) => acquireEpoch(c, migration));
  const why = { takingOver: sync.task };
  await raiseHighToEnd(job, { name: migration, epoch }, why, signal);
  return 'has to converge';
}

/** The rows have converged under our own applier. */
export async function markTakenOver(
  { target, migration }: DmsJob,
  signal: AbortSignal,
): Promise<void> {
  await withConnection(target, { signal }, async (connection) => {
    const sync = syncOf(await requireCheckpoint(connection, migration));
    if (sync?.takingOver === true) {
      await rememberDms(connection, migration, { takenOver: sync.task });
    }
  });
}
