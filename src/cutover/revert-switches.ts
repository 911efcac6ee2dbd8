import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure, isFailure } from '../failures.ts';
import { takeBack } from './compensate.ts';
import type { CutoverJob } from './job.ts';
import { keyOf } from './job.ts';
import type { CutoverJournal } from './journal.ts';
import { whyTargetMayHaveWrites } from './target-writes.ts';

const RECONNECT_MS = 1_000;

/**
 * A switch failed. If it is proved, before and after the endpoints were put back, that nobody wrote to
 * the target and no consumer is logged in there, the source is un-fenced; else nothing is reverted.
 * Returns what to throw. Killed in between, the next attempt sees a begun switch until the proof is
 * complete, and none from then on, which is before the fence is lowered.
 */
export async function revertIfUntouched(
  job: CutoverJob,
  journal: CutoverJournal,
  signal: AbortSignal,
  error: unknown,
): Promise<unknown> {
  const failure = isFailure(error)
    ? error
    : new SkyferryFailure('SWITCH_FAILED', 'a switch failed unexpectedly');
  const target = { ...job, accounts: job.consumers.map(({ account }) => account) };
  const prove = async () =>
    await whyTargetMayHaveWrites(target, journal.state.targetPosition, signal);
  try {
    const before = await prove();
    if (before !== null)
      return onlyForward(job, journal, failure, `nothing is reverted: ${before}`);
    for (const [i, consumer] of [...job.consumers.entries()].toReversed()) {
      if (journal.state.switching?.[keyOf(job, i)] === undefined) continue;
      await consumer.switch.undo(signal);
      await journal.write({ switching: { [keyOf(job, i)]: 'begun' } });
    }
    await sleep(RECONNECT_MS, undefined, { signal });
    const after = await prove();
    if (after !== null) {
      const outcome = `the endpoints were put back, and the source stays fenced: ${after}`;
      return onlyForward(job, journal, failure, outcome);
    }
    await journal.forgetSwitching();
  } catch (reverting) {
    if (isFailure(reverting, 'EPOCH_LOST')) return reverting;
    const why = isFailure(reverting) ? reverting.message : 'it failed unexpectedly';
    return onlyForward(job, journal, failure, `putting the endpoints back failed: ${why}`);
  }
  const reverted = new SkyferryFailure(failure.code, failure.message, {
    ...failure.detail,
    safe: 'the target took no writes; the switches were undone and the source is un-fenced',
  });
  return await takeBack(job, journal, reverted);
}

function onlyForward(
  { fence }: CutoverJob,
  journal: CutoverJournal,
  failure: SkyferryFailure,
  outcome: string,
): SkyferryFailure {
  const { former } = journal.state;
  return new SkyferryFailure(failure.code, `${failure.message}; ${outcome}`, {
    ...failure.detail,
    safe: 'Skyferry lifts no fence; the target may have taken writes',
    next: [
      failure.code === 'NOT_QUIESCENT'
        ? failure.detail.next
        : 'keep the source fenced, repair the endpoint and send retry-phase',
      'retry-phase goes forward only, and is refused while the source is not fenced',
      `to give up instead, and only when the target took no writes: put every endpoint back, then on the source ${
        former === undefined ? 'lift the fence' : fence.unfenceCommand(former)
      } This migration cannot be carried on after that`,
    ].join('. '),
  });
}
