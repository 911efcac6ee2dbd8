import { acquireEpoch } from '../../checkpoint/epoch.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { DmsJob } from './job.ts';
import { memoryOf, rememberDms } from './memory.ts';
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
  const memory = await withConnection(target, { signal }, async (connection) =>
    memoryOf(await requireCheckpoint(connection, migration)),
  );
  if (memory.takenOver === 'done') return 'is exact';
  const { task = null } = memory;
  if (task !== null) await endTask(job, task, signal);
  const epoch = await withConnection(target, { signal }, (c) => acquireEpoch(c, migration));
  await raiseHighToEnd(job, { name: migration, epoch }, signal);
  await withConnection(target, { signal }, (c) =>
    rememberDms(c, migration, { takenOver: 'begun' }),
  );
  return 'has to converge';
}

export async function markTakenOver(
  { target, migration }: DmsJob,
  signal: AbortSignal,
): Promise<void> {
  await withConnection(target, { signal }, (c) => rememberDms(c, migration, { takenOver: 'done' }));
}
