import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure, isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import { qualify } from '../mysql/identifier.ts';
import type { FenceState } from './fence/fence.ts';
import type { CutoverJob } from './job.ts';
import { CutoverJournal } from './journal.ts';

/**
 * Triggers first, since changes are applied again as soon as the source takes writes; the fence is
 * lowered whatever becomes of them. Runs without the caller's signal: it must happen after an abort.
 */
export async function compensate(
  job: Pick<CutoverJob, 'target' | 'fenceOf'>,
  journal: CutoverJournal,
): Promise<void> {
  await assertHeldIfReachable(journal);
  const { former, triggers = [] } = journal.state;
  const dropped = await withConnection(job.target, {}, async (connection) => {
    for (const trigger of triggers)
      await connection.execute(`DROP TRIGGER IF EXISTS ${qualify(trigger)}`);
  }).then(
    () => null,
    (error: unknown) => error,
  );
  if (former !== undefined) {
    const fence = job.fenceOf(former.kind);
    await fence.lower(former).catch((error: unknown) => {
      throw new SkyferryFailure(
        'NOT_QUIESCENT',
        'the cutover failed before the switch, and the fence could not be lowered',
        {
          safe: 'nothing is switched; the source may refuse writes',
          next: `on the source: ${fence.unfenceCommand(former)}`,
          retryable: true,
          ...(isFailure(error) &&
            error.detail.errno !== undefined && { errno: error.detail.errno }),
        },
      );
    });
  }
  if (dropped !== null) throw dropped;
  await journal.clear();
}

const TRIES = 3;
const PAUSE_MS = 1_000;

/** A target that is away must not keep the source fenced. */
async function assertHeldIfReachable(journal: CutoverJournal): Promise<void> {
  for (let left = TRIES; left > 0; left--) {
    try {
      await journal.assertHeld();
      return;
    } catch (error) {
      if (isFailure(error, 'EPOCH_LOST')) throw error;
      if (left > 1) await sleep(PAUSE_MS);
    }
  }
}

/**
 * Right after the fence was raised: when another attempt has taken over meanwhile and does not want a
 * fence, nobody would lower this one. Throws EPOCH_LOST then.
 */
export async function lowerAsLoser(
  job: Pick<CutoverJob, 'target' | 'fenceOf' | 'migration'>,
  journal: CutoverJournal,
  former: FenceState,
): Promise<void> {
  try {
    await journal.assertHeld();
  } catch (error) {
    if (!isFailure(error, 'EPOCH_LOST')) throw error;
    const { fencedAt } = await CutoverJournal.peek(job.target, job.migration);
    if (fencedAt === undefined) await job.fenceOf(former.kind).lower(former);
    throw error;
  }
}
