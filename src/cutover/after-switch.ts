import { markSwitched } from '../checkpoint/store.ts';
import { SkyferryFailure, isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import { enableEvents } from '../schema/events.ts';
import type { CutoverResult } from '../workflows/results.ts';
import { lowerAsLoser } from './compensate.ts';
import type { Consumer, CutoverJob } from './job.ts';
import { keyOf, probeAccount } from './job.ts';
import { CutoverJournal, fencePosition, lacks } from './journal.ts';
import { describeOldSessions, endOldSessions } from './old-sessions.ts';
import { revertIfUntouched } from './revert-switches.ts';
import { lateWrites } from './source-writes.ts';
import type { StepList } from './steps.ts';

/** From here on no abort is heard: half of the consumers on either side is the worst of all. */
export async function forward(
  job: CutoverJob,
  journal: CutoverJournal,
  steps: StepList,
): Promise<CutoverResult> {
  const signal = new AbortController().signal;
  try {
    if (job.fence.persist !== undefined) {
      await steps.run('persist fence', async () => await persistFence(job, journal, signal));
    }
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
  const late = await steps.run(
    'look for late writes',
    async () => await lateWrites(job, fencePosition(journal)),
  );
  const { former } = journal.state;
  const notes = await steps.run(
    'enable events',
    async () => await enableEvents(job.target, job.catalog, { signal }),
  );
  const events = notes.map(({ kind, name, text }) => `${kind} ${displayName(name)}: ${text}`);
  const result = resultOf(journal, steps);
  const finished: CutoverResult = {
    ...result,
    ...(former !== undefined && { unfenceCommand: job.fence.unfenceCommand(former) }),
    warnings: [...late, ...events],
    evidence: { ...journal.state.evidence, targetPosition: journal.state.targetPosition },
  };
  await withConnection(job.target, {}, async (connection) => {
    await markSwitched(connection, job.migration);
  });
  await journal.write({ finished, steps: steps.records });
  return finished;
}

async function persistFence(
  job: CutoverJob,
  journal: CutoverJournal,
  signal: AbortSignal,
): Promise<void> {
  await journal.assertHeld();
  await requireFence(job);
  await job.fence.persist?.(signal);
  const { former } = journal.state;
  if (former !== undefined) await lowerAsLoser(job, journal, former);
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
        await requireFence(job);
        await journal.write({ switching: { [key]: 'begun' }, steps: steps.records });
        await consumer.switch.do(signal);
        const lastSwitchAt = new Date().toISOString();
        try {
          await journal.write({ switching: { [key]: 'done' }, lastSwitchAt });
        } catch (error) {
          if (isFailure(error, 'EPOCH_LOST')) await undoAsLoser(job, consumer, signal);
          throw error;
        }
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

/** Done too late: whoever took over meanwhile may have put every endpoint back and un-fenced the source. */
async function undoAsLoser(
  { target, migration }: CutoverJob,
  consumer: Consumer,
  signal: AbortSignal,
): Promise<void> {
  const { switching } = await CutoverJournal.peek(target, migration).catch((error: unknown) => {
    // Aborted, and the checkpoint with it.
    if (isFailure(error, 'MIGRATION_CONFLICT')) return { switching: undefined };
    throw error;
  });
  if (switching === undefined) await consumer.switch.undo(signal);
}

/** A restart or a person may have lowered it since: then the source takes writes that nobody brings over. */
async function requireFence({ fence }: CutoverJob): Promise<void> {
  if (await fence.isRaised()) return;
  throw new SkyferryFailure('NOT_QUIESCENT', 'the source is not fenced any more', {
    safe: 'no further endpoint is switched',
    next: `find out which side has taken writes since; once the target holds all of them, fence it again as it was (${fence.describe()}), then retry-phase`,
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
