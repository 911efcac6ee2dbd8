import { setMaxListeners } from 'node:events';
import { SkyferryFailure, isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { displayName, spelledOn } from '../mysql/identifier.ts';
import type { Position } from '../mysql/position.ts';
import { readExecuted } from '../mysql/watermark.ts';
import { analyzeTables } from '../schema/analyze-tables.ts';
import { createEvents } from '../schema/events.ts';
import { findOrphans } from '../schema/find-orphans.ts';
import { raiseAutoIncrement } from '../schema/raise-auto-increment.ts';
import { createTriggers } from '../schema/triggers.ts';
import { awaitApplied } from '../replicate/await-applied.ts';
import type { Verdict } from '../verify/verdict.ts';
import { Budget } from './budget.ts';
import { compareResidue } from './compare-residue.ts';
import { takeBack } from './compensate.ts';
import type { CutoverJob } from './job.ts';
import { keyOf, probeAccount } from './job.ts';
import type { CutoverJournal, TargetPosition } from './journal.ts';
import { fencePosition } from './journal.ts';
import { whatWasWritten, wroteBehindFence } from './source-writes.ts';
import type { StepList } from './steps.ts';
import { approachFence, stopWrites } from './stop-writes.ts';

/** With fewer touched rows than this the last comparison is short enough for the fence. */
const SMALL_RESIDUE_ROWS = 2_000;
const SHRINKING_PASSES = 4;

/**
 * Up to the first switch, which is recorded as begun when this resolves. Any failure, an abort and an
 * exceeded budget put everything back and are thrown.
 */
export async function untilSwitch(
  job: CutoverJob,
  given: AbortSignal,
  journal: CutoverJournal,
  steps: StepList,
): Promise<void> {
  const spent = () => steps.describeSince('raise fence') || 'in an attempt whose worker was lost';
  const budget = new Budget(job.downtimeBudgetMs, spent);
  const signal = AbortSignal.any([given, budget.signal]);
  // One listener for each session.
  setMaxListeners(0, signal);
  try {
    // An earlier attempt may have been killed behind the fence: its time counts.
    if (journal.state.fencedAt !== undefined) budget.start(journal.state.fencedAt);
    signal.throwIfAborted();
    const verified = await prepare(job, signal, journal, steps);
    await stopWrites(job, signal, journal, steps, budget);
    await bringOver(job, signal, journal, steps, verified);
    await beginSwitching(job, signal, journal, steps, budget);
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : error;
    if (isFailure(reason, 'EPOCH_LOST') || journal.switchBegun) throw reason;
    throw await takeBack(job, journal, reason);
  } finally {
    budget.stop();
  }
}

/** All that needs no fence. Returns up to where everything is compared. */
async function prepare(
  job: CutoverJob,
  signal: AbortSignal,
  journal: CutoverJournal,
  steps: StepList,
): Promise<Position> {
  const { target, catalog, lctn, consumers } = job;
  await steps.run('probe consumers', async () => {
    for (const consumer of consumers) {
      await consumer.switch.precondition(signal);
      await probeAccount(job, consumer, signal);
    }
  });
  await steps.run('prepare target', async () => {
    await createEvents(target, catalog, { definers: job.definers ?? 'keep', signal });
    await analyzeTables(target, catalog, lctn, { signal });
  });
  if (job.fence.approach !== undefined) {
    // Before the comparison: what is written while it takes its time is not left for the fence.
    await steps.run('approach fence', async () => await approachFence(job, signal, journal));
  }
  const verified = await steps.run('compare under writes', async () => {
    let from = job.verifiedAt;
    let before = Number.POSITIVE_INFINITY;
    for (let pass = 0; pass < SHRINKING_PASSES; pass++) {
      const verdict = await compareResidue(job, { from, to: null, atRest: false }, signal);
      from = verdict.position;
      // Tables without a key count as a whole: with a large one no pass leaves little.
      if (verdict.rows < SMALL_RESIDUE_ROWS || verdict.rows > before / 2) break;
      before = verdict.rows;
    }
    return from;
  });
  await steps.run('check window and lag', async () => await job.mayProceed(signal));
  return verified;
}

/** Behind the fence: everything that the target still lacks. */
async function bringOver(
  job: CutoverJob,
  signal: AbortSignal,
  journal: CutoverJournal,
  steps: StepList,
  verified: Position,
): Promise<void> {
  const { source, target, catalog, lctn, migration } = job;
  const to = fencePosition(journal);
  await steps.run(
    'drain',
    async () => await awaitApplied(target, migration, to, { signal, onProgress: () => {} }),
  );
  const { detach } = job;
  if (detach !== undefined) {
    await steps.run('remove replication', async () => {
      await journal.write({ replicationRemoved: true }, signal);
      await detach(signal);
    });
  }
  const verdict = await steps.run(
    'compare at rest',
    async () => await compareResidue(job, { from: verified, to, atRest: true }, signal),
    ({ rows }) => `${rows} rows`,
  );
  await steps.run('look for orphans', async () => {
    const orphans = await findOrphans(target, verdict.orphansPossible, lctn, { signal });
    if (orphans.length > 0) throw orphansFound(orphans);
  });
  await steps.run('create triggers', async () => {
    const triggers = catalog.triggers.map(({ name }) => spelledOn(name, lctn));
    await journal.write({ triggers }, signal);
    await createTriggers(target, catalog, { definers: job.definers ?? 'keep', signal });
  });
  await steps.run('raise counters', async () => {
    await raiseAutoIncrement(source, target, catalog, lctn, { signal });
  });
  const { evidence } = journal.state;
  await journal.write({ evidence: { ...evidence, comparedAtRest: summary(verdict) } }, signal);
}

/** The last moment at which everything can be put back. */
async function beginSwitching(
  job: CutoverJob,
  signal: AbortSignal,
  journal: CutoverJournal,
  steps: StepList,
  budget: Budget,
): Promise<void> {
  await steps.run('begin to switch', async () => {
    const targetPosition = await readTargetPosition(job.target, signal);
    // A worker that was stopped for a while may find the fence lowered by the one that took over.
    if (!(await job.fence.isRaised(signal))) throw fenceFell();
    if (job.fence.stops !== 'every write') await refuseLateWrites(job, journal, signal);
    signal.throwIfAborted();
    if (budget.leftMs() <= 0) throw budget.exceeded();
    const [first] = job.consumers.keys();
    const now = new Date().toISOString();
    await journal.beginSwitching(
      {
        targetPosition,
        ...(first === undefined
          ? { switchedAt: now }
          : { switching: { [keyOf(job, first)]: 'begun' } }),
      },
      signal,
    );
    budget.stop();
  });
}

/** Somebody whom the fence was not told of: what they wrote would be lost. */
async function refuseLateWrites(
  { source, catalog }: CutoverJob,
  journal: CutoverJournal,
  signal: AbortSignal,
): Promise<void> {
  const written = await whatWasWritten(source, catalog, fencePosition(journal), signal);
  if (written !== null) throw wroteBehindFence(written);
}

function orphansFound(orphans: Awaited<ReturnType<typeof findOrphans>>): SkyferryFailure {
  const which = orphans.map(
    ({ foreignKey, orphans: count }) =>
      `${displayName(foreignKey.table)}.${foreignKey.name} (${count})`,
  );
  return new SkyferryFailure('ROWS_DIFFER', `rows without their parent: ${which.join(', ')}`, {
    safe: 'nothing was switched; the source takes writes',
  });
}

function fenceFell(): SkyferryFailure {
  return new SkyferryFailure('NOT_QUIESCENT', 'the fence was lowered by somebody else', {
    safe: 'nothing was switched; the source takes writes',
  });
}

/** Without REPLICATION CLIENT, or without a binlog, the GTID set alone. */
async function readTargetPosition(target: Endpoint, signal: AbortSignal): Promise<TargetPosition> {
  return await withConnection(target, { signal }, async (connection) => {
    try {
      return await readExecuted(connection);
    } catch (error) {
      if (!isFailure(error) || error.retryable) throw error;
      const [row] = await connection.query<{ s: string }>('SELECT @@GLOBAL.gtid_executed AS s');
      return { gtidSet: (row?.s ?? '').replaceAll(/\s/g, '') };
    }
  });
}

function summary({ rows, tables, seconds }: Verdict) {
  return { rows, tables: tables.length, seconds };
}
