import { CancellationScope, isCancellation } from '@temporalio/workflow';
import {
  completeMigration,
  cutOver,
  finishCutover,
  restoreTtls,
  settleCutover,
} from '../activities.ts';
import type { FailureSummary } from '../failures.ts';
import { summarize } from '../failures.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { located } from '../located.ts';
import { milestone, park } from '../migration.ts';
import type { CutoverResult, SettledCutover } from '../results.ts';
import { giveBack } from './preparing.ts';
import { keep, nowIso } from '../state.ts';

/**
 * Before the switch every failure, a dead worker's included, ends with an un-fenced source and a used-up
 * approval; from the switch on there is only forward. Which of both holds is read from the checkpoint
 * (`settleCutover`), never guessed from how the activity failed.
 */
export async function cuttingOver(migration: Migration): Promise<Phase> {
  const { state, desk } = migration;
  const verification = state.verification;
  if (verification === null) return 'verifying';
  desk.hold();
  try {
    if (state.cutover === null) {
      const input = { config: located(migration), verifiedAt: verification.position };
      if (state.unsettled) return await settle(migration, unsettledFailure);
      if (state.switchedAt !== null) switched(migration, await finishCutover(input));
      else switched(migration, await cutOver(input));
    }
  } catch (error) {
    const failure = summarize(error);
    if (failure === null && !isCancellation(error)) throw error;
    return await CancellationScope.nonCancellable(
      async () => await settle(migration, failure ?? stoppedFailure),
    );
  }
  return await complete(migration);
}

async function settle(migration: Migration, failure: FailureSummary): Promise<Phase> {
  const { state, desk } = migration;
  state.unsettled = true;
  migration.show();
  let settled: SettledCutover;
  try {
    settled = await settleCutover({ config: located(migration) });
  } catch (error) {
    const reason = summarize(error);
    if (reason === null) throw error;
    return park(migration, 'cutting-over', {
      ...reason,
      message: `the cutover stopped (${failure.message}), and whether the source is fenced could not be found out: ${reason.message}`,
      safe: 'no endpoint is switched by anybody now; the source may refuse writes',
      next: [...(reason.next === undefined ? [] : [reason.next]), findOut].join('. '),
    });
  }
  state.unsettled = false;
  if (settled.unfenceCommand !== undefined) state.unfenceCommand = settled.unfenceCommand;
  if (settled.switched) return await goForward(migration, failure);
  state.unfenceCommand = null;
  desk.reset();
  // What the fence showed to differ, or can no longer be read, needs a whole comparison again. Of an
  // attempt that went silent nobody knows what it showed.
  const doubtful = ['ROWS_DIFFER', 'BINLOG_PURGED', 'TIMEOUT'].includes(failure.code);
  if (doubtful || settled.compareAll === true) state.verification = null;
  state.failure = failure;
  return 'rolled-back';
}

/** How the source was stands on the target alone. */
const findOut =
  'retry-phase finds it out and puts the source back, once both servers answer. If the application cannot wait: see that no endpoint points to the target, then lift the fence that the plan names by hand, on the source: SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF; or ALTER USER … ACCOUNT UNLOCK; or the parameter read_only of its group';

/** The switch has begun: whoever asked to stop came too late. */
async function goForward(migration: Migration, failure: FailureSummary): Promise<Phase> {
  const { state } = migration;
  state.switchedAt ??= nowIso();
  state.paused = false;
  refuseLateAbort(migration);
  if (state.verification === null) return park(migration, 'cutting-over', failure);
  try {
    switched(
      migration,
      await finishCutover({ config: located(migration), verifiedAt: state.verification.position }),
    );
  } catch (error) {
    const again = summarize(error);
    if (again === null) throw error;
    return park(migration, 'cutting-over', again);
  }
  return await complete(migration);
}

function switched(migration: Migration, result: CutoverResult): void {
  const { state } = migration;
  state.cutover = result;
  state.switchedAt = result.switchedAt;
  state.unfenceCommand = result.unfenceCommand ?? null;
  state.paused = false;
  milestone(
    migration,
    `switched after ${(result.writeDowntimeMs / 1000).toFixed(1)} s without writes`,
  );
  for (const warning of result.warnings ?? []) milestone(migration, warning);
}

async function complete(migration: Migration): Promise<Phase> {
  const { state, applier, guard } = migration;
  refuseLateAbort(migration);
  await CancellationScope.nonCancellable(async () => {
    await Promise.all([applier.stop(), guard.stop()]);
    const { notes, lag } = await completeMigration({ config: located(migration) });
    state.lag = lag;
    for (const note of notes) milestone(migration, note);
    if (state.ttls !== null) {
      const restored = await restoreTtls({ config: located(migration), ttls: state.ttls });
      for (const note of restored) milestone(migration, note);
      state.ttls = null;
    }
    await giveBack(migration);
  });
  return 'completed';
}

function refuseLateAbort({ state }: Migration): void {
  if (state.abort === null) return;
  keep(state.messages, {
    name: 'abort',
    by: state.abort.by,
    at: nowIso(),
    via: 'signal',
    outcome: 'refused',
    reason: 'late: the switch had begun when it arrived; nothing was undone',
  });
  state.abort = null;
}

/**
 * After a compensated cutover. A person who paused or aborted gets that; otherwise it parks with the
 * reason, and retry-phase waits for a fresh approval.
 */
export async function rolledBack(migration: Migration): Promise<Phase> {
  const { state } = migration;
  const failure = state.failure ?? stoppedFailure;
  milestone(migration, `the cutover was taken back: ${failure.message}`);
  if (isStopped(failure) && state.applierFailure === null) {
    state.failure = null;
    return 'awaiting-window';
  }
  return park(migration, 'cutting-over', state.applierFailure ?? failure);
}

/** By what it says: it may have come through continue-as-new. */
function isStopped({ code, message }: FailureSummary): boolean {
  return code === stoppedFailure.code && message === stoppedFailure.message;
}

const stoppedFailure: FailureSummary = {
  code: 'CANCELLED',
  message: 'it was stopped before the switch',
  safe: 'the source takes writes; changes go on being applied',
};

const unsettledFailure: FailureSummary = {
  code: 'CANCELLED',
  message: 'an earlier cutover had not come to its end',
  safe: 'the source takes writes; changes go on being applied',
};
