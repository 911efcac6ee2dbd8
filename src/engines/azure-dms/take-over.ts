import type { Holder } from '../../checkpoint/epoch.ts';
import { acquireEpoch, assertEpoch } from '../../checkpoint/epoch.ts';
import { requireCheckpoint, touched } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import { isRemoved } from '../native/memory.ts';
import { givenUp } from './failures.ts';
import type { DmsJob } from './job.ts';
import { rememberDms, syncOf } from './memory.ts';
import { raiseHighToEnd } from './raise-high-to-end.ts';
import { endTask } from './release.ts';

interface TakeOverOptions {
  /** Of this attempt; another one that takes over later silences it. */
  readonly taker: string;
  readonly signal: AbortSignal;
  /** It lives, though nothing can be said of how far it is. */
  readonly onLook: () => void;
}

/**
 * For our own applier, after a cutover that was taken back: the service's task is at its end, and everything
 * it can have applied lies before the high watermark. Returns whether the rows have yet to converge from
 * the checkpoint's position, or that another cutover wants nobody to apply. May be repeated.
 */
export async function takeOver(
  job: DmsJob,
  { taker, signal, onLook }: TakeOverOptions,
): Promise<'has to converge' | 'is exact' | 'not wanted'> {
  const { target, migration } = job;
  const known = await withConnection(target, { signal }, async (connection) =>
    syncOf(await requireCheckpoint(connection, migration)),
  );
  if (known?.takenOver === true) return 'is exact';
  const holder = await withConnection(target, { signal }, async (connection) => ({
    name: migration,
    epoch: await acquireEpoch(connection, migration),
  }));
  const task = await claim(job, holder, taker, signal);
  if (task === null) return 'not wanted';
  await endTask(job, task, signal, onLook);
  await raiseHighToEnd(job, holder, { takingOver: task }, signal);
  return 'has to converge';
}

/**
 * Either a cutover says first that nobody is to apply, and gets that; or this says first that somebody takes
 * over, and the cutover waits for its end: tables are copied again meanwhile, which no switch may meet.
 */
async function claim(
  job: DmsJob,
  holder: Holder,
  taker: string,
  signal: AbortSignal,
): Promise<string | null> {
  const session = ['SET SESSION autocommit = 0'];
  return await withConnection(job.target, { signal, session }, async (connection) => {
    // Locks the row that a cutover writes to.
    await assertEpoch(connection, holder);
    const checkpoint = await requireCheckpoint(connection, job.migration);
    if (isRemoved(checkpoint)) return null;
    const sync = syncOf(checkpoint);
    if (sync === null) throw givenUp();
    await rememberDms(connection, job.migration, { takingOver: sync.task, taker });
    await connection.execute('COMMIT');
    return sync.task;
  });
}

/**
 * The rows have converged under our own applier. EPOCH_LOST: another attempt has taken over since, and may be
 * copying tables again.
 */
export async function markTakenOver(
  { target, migration }: Pick<DmsJob, 'target' | 'migration'>,
  taker: string,
  signal: AbortSignal,
): Promise<void> {
  await withConnection(target, { signal }, async (connection) => {
    const { affectedRows } = await connection.execute(
      `UPDATE skyferry.migration
       SET remembered = JSON_SET(remembered, '$.dms.takenOver', JSON_EXTRACT(remembered, '$.dms.takingOver')),
           ${touched}
       WHERE name = ? AND JSON_UNQUOTE(JSON_EXTRACT(remembered, '$.dms.taker')) = ?`,
      [migration, taker],
    );
    if (affectedRows > 0) return;
    throw new SkyferryFailure(
      'EPOCH_LOST',
      'another worker took over from the task of Azure DMS meanwhile',
      { safe: 'this one does nothing more; the other one goes on' },
    );
  });
}
