import { setTimeout as sleep } from 'node:timers/promises';
import { markSwitched } from '../checkpoint/store.ts';
import { SkyferryFailure, isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import { enableEvents } from '../schema/events.ts';
import type { CutoverResult } from '../workflows/results.ts';
import { lowerAsLoser, takeBack } from './compensate.ts';
import type { CutoverJob } from './job.ts';
import { keyOf, probeAccount } from './job.ts';
import type { CutoverJournal } from './journal.ts';
import { fencePosition, lacks } from './journal.ts';
import { describeOldSessions, endOldSessions } from './old-sessions.ts';
import type { StepList } from './steps.ts';
import { whyTargetMayHaveWrites } from './target-writes.ts';

/** From here on no abort is heard: half of the consumers on either side is the worst of all. */
export async function forward(
  job: CutoverJob,
  journal: CutoverJournal,
  steps: StepList,
): Promise<CutoverResult> {
  const signal = new AbortController().signal;
  try {
    await steps.run('persist fence', async () => {
      await journal.assertHeld();
      await requireFence(job, signal);
      await job.fence.persist(signal);
      const { former } = journal.state;
      if (former !== undefined) await lowerAsLoser(job, journal, former);
    });
    await switchConsumers(job, signal, journal, steps);
  } catch (error) {
    if (isFailure(error, 'EPOCH_LOST')) throw error;
    throw await revertIfUntouched(job, journal, signal, error);
  }
  if (job.consumers.some(({ switch: each }) => each.lowerTtl !== undefined)) {
    await steps.run(
      'end sessions on the old server',
      async () => await endOldSessions(job, signal),
      describeOldSessions,
    );
  }
  const { former } = journal.state;
  const notes = await steps.run(
    'enable events',
    async () => await enableEvents(job.target, job.catalog, { signal }),
  );
  const result = resultOf(journal, steps);
  const finished: CutoverResult = {
    ...result,
    ...(former !== undefined && { unfenceCommand: job.fence.unfenceCommand(former) }),
    evidence: {
      ...journal.state.evidence,
      targetPosition: journal.state.targetPosition,
      notes: notes.map(({ kind, name, text }) => `${kind} ${displayName(name)}: ${text}`),
    },
  };
  await withConnection(job.target, {}, async (connection) => {
    await markSwitched(connection, job.migration);
  });
  await journal.write({ finished, steps: steps.records });
  return finished;
}

async function switchConsumers(
  job: CutoverJob,
  signal: AbortSignal,
  journal: CutoverJournal,
  steps: StepList,
): Promise<void> {
  for (const [i, consumer] of job.consumers.entries()) {
    const key = keyOf(job, i);
    const name = consumer.switch.consumer;
    if (journal.state.switching?.[key] !== 'done') {
      await steps.run(`switch ${name}`, async () => {
        await requireFence(job, signal);
        await journal.write({ switching: { [key]: 'begun' }, steps: steps.records });
        await consumer.switch.do(signal);
        const lastSwitchAt = new Date().toISOString();
        await journal.write({ switching: { [key]: 'done' }, lastSwitchAt });
      });
    }
    await steps.run(`probe ${name}`, async () => {
      await consumer.switch.probe(signal);
      await probeAccount(job, consumer, signal);
    });
  }
  if (journal.state.switchedAt === undefined) {
    const { lastSwitchAt = new Date().toISOString() } = journal.state;
    await journal.write({ switchedAt: lastSwitchAt });
  }
}

/** A restart or a person may have lowered it since: then the source takes writes that nobody brings over. */
async function requireFence({ fence }: CutoverJob, signal: AbortSignal): Promise<void> {
  if (await fence.isRaised(signal)) return;
  throw new SkyferryFailure('NOT_QUIESCENT', 'the source is not fenced any more', {
    safe: 'no further endpoint is switched',
    next: `find out which side has taken writes since; once the target holds all of them, fence it again as it was (${fence.describe()}), then retry-phase`,
  });
}

const RECONNECT_MS = 1_000;

/**
 * A switch failed. If it is proved, before and after the endpoints were put back, that nobody wrote to
 * the target and no consumer is logged in there, the source is un-fenced; else nothing is reverted.
 * Returns what to throw. Killed in between, the next attempt sees a begun switch until the proof is
 * complete, and none from then on, which is before the fence is lowered.
 */
async function revertIfUntouched(
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

function resultOf(journal: CutoverJournal, steps: StepList): CutoverResult {
  const { fencedAt, switchedAt } = journal.state;
  if (fencedAt === undefined || switchedAt === undefined) throw lacks('its times');
  const { file, offset } = fencePosition(journal);
  return {
    switchedAt,
    writeDowntimeMs: Date.parse(switchedAt) - Date.parse(fencedAt),
    sourcePosition: { file, offset },
    steps: steps.records,
  };
}
