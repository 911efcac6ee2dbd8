import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure, isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { QualifiedName } from '../mysql/identifier.ts';
import { qualify } from '../mysql/identifier.ts';
import type { FenceState } from './fence/fence.ts';
import type { CutoverJob } from './job.ts';
import { CutoverJournal } from './journal.ts';

/** A target that is away, or whose tables somebody reads for hours, must not keep the source fenced. */
const TARGET_ANSWERS_WITHIN_MS = 3_000;
const TRIGGERS_DROPPED_WITHIN_MS = 10_000;
const LOCK_WAIT_S = 2;

/**
 * Triggers first, since changes are applied again as soon as the source takes writes; the fence is
 * lowered whatever becomes of them. Runs without the caller's signal: it must happen after an abort.
 * Throws EPOCH_LOST; NOT_QUIESCENT when the fence could not be lowered; CONNECTION_LOST or TRANSIENT when
 * the source is un-fenced and something is left on the target.
 */
export async function compensate(
  job: Pick<CutoverJob, 'target' | 'fenceOf'>,
  journal: CutoverJournal,
): Promise<void> {
  await assertHeldIfReachable(journal);
  const { former, triggers = [] } = journal.state;
  const dropped = await dropTriggers(job.target, triggers).then(
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

const ASK_AGAIN_MS = 1_000;

async function assertHeldIfReachable(journal: CutoverJournal): Promise<void> {
  const outOfTime = sleep(TARGET_ANSWERS_WITHIN_MS, undefined, { ref: false });
  const asked = askWhetherHeld(journal, performance.now() + TARGET_ANSWERS_WITHIN_MS);
  asked.catch(() => {});
  await Promise.race([asked, outOfTime]);
}

async function askWhetherHeld(journal: CutoverJournal, deadline: number): Promise<void> {
  while (performance.now() < deadline) {
    try {
      await journal.assertHeld();
      return;
    } catch (error) {
      if (isFailure(error, 'EPOCH_LOST')) throw error;
      await sleep(ASK_AGAIN_MS);
    }
  }
}

async function dropTriggers(target: Endpoint, triggers: readonly QualifiedName[]): Promise<void> {
  if (triggers.length === 0) return;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(notDropped()), TRIGGERS_DROPPED_WITHIN_MS);
  const session = [`SET SESSION lock_wait_timeout = ${LOCK_WAIT_S}`];
  try {
    await withConnection(target, { signal: late.signal, session }, async (connection) => {
      for (const trigger of triggers)
        await connection.execute(`DROP TRIGGER IF EXISTS ${qualify(trigger)}`);
    });
  } finally {
    clearTimeout(timer);
  }
}

function notDropped(): SkyferryFailure {
  return new SkyferryFailure(
    'TRANSIENT',
    'the target did not drop the triggers of a cutover that was taken back in time',
    {
      safe: 'the source takes writes',
      next: 'look for long transactions in SHOW FULL PROCESSLIST on the target',
    },
  );
}

/**
 * For a cutover that gives up. Returns what to throw, which is final: to begin again takes a fresh approval,
 * and what is left on the target is for `settleCutover`.
 */
export async function takeBack(
  job: Pick<CutoverJob, 'target' | 'fenceOf'>,
  journal: CutoverJournal,
  reason: unknown,
): Promise<unknown> {
  await compensate(job, journal).catch((left: unknown) => {
    if (!isFailure(left, 'CONNECTION_LOST') && !isFailure(left, 'TRANSIENT')) throw final(left);
  });
  return final(reason);
}

function final(error: unknown): unknown {
  if (!isFailure(error)) return error;
  return new SkyferryFailure(error.code, error.message, { ...error.detail, retryable: false });
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
