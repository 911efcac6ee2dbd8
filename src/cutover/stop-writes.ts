import { SkyferryFailure } from '../failures.ts';
import type { Budget } from './budget.ts';
import { lowerAsLoser } from './compensate.ts';
import type { FenceState, Foreign } from './fence/fence.ts';
import type { CutoverJob } from './job.ts';
import type { CutoverJournal } from './journal.ts';
import { proveQuiescence } from './quiescence.ts';
import type { StepList } from './steps.ts';

/** It may take minutes: another attempt may have taken over meanwhile. */
export async function approachFence(
  job: CutoverJob,
  signal: AbortSignal,
  journal: CutoverJournal,
): Promise<void> {
  const former = await formerState(job, signal, journal);
  try {
    await job.fence.approach?.(former, { signal });
  } finally {
    await lowerAsLoser(job, journal, former);
  }
}

/** Raises the fence and proves it; the position at which writes had stopped is in the journal afterwards. */
export async function stopWrites(
  job: CutoverJob,
  signal: AbortSignal,
  journal: CutoverJournal,
  steps: StepList,
  budget: Budget,
): Promise<void> {
  await steps.run('raise fence', async () => {
    const former = await formerState(job, signal, journal);
    const fencedAt = journal.state.fencedAt ?? new Date().toISOString();
    await journal.write({ fencedAt }, signal);
    budget.start(fencedAt);
    signal.throwIfAborted();
    try {
      await job.fence.raise(former, { lockWaitMs: budget.leftMs() / 2, signal });
    } finally {
      await lowerAsLoser(job, journal, former);
    }
  });
  const { proof, position, evidence } = await steps.run(
    'prove quiescence',
    async () => ({
      proof: await job.fence.prove(signal),
      ...(await proveQuiescence(job, { withinMs: budget.leftMs() / 2, signal })),
    }),
    ({ evidence: { endedSessions } }) => `${endedSessions} sessions ended`,
  );
  const { evidence: before } = journal.state;
  await journal.write(
    { position, evidence: { ...before, fence: proof, quiescence: evidence } },
    signal,
  );
}

/** How to put back what the fence changes: durable before the first change, and not read again after it. */
async function formerState(
  job: CutoverJob,
  signal: AbortSignal,
  journal: CutoverJournal,
): Promise<FenceState> {
  if (journal.state.former !== undefined) return journal.state.former;
  const former = await job.fence.read(signal);
  if (former.foreign !== undefined) throw alreadyFenced(former.foreign);
  await journal.write({ former }, signal);
  return former;
}

function alreadyFenced({ found, fix }: Foreign): SkyferryFailure {
  return new SkyferryFailure('NOT_QUIESCENT', found, {
    safe: 'nothing was changed on the source',
    next: fix,
  });
}
