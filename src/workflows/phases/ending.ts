import { condition } from '@temporalio/workflow';
import { abortMigration } from '../activities.ts';
import { summarize } from '../failures.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { located, milestone, park } from '../migration.ts';

export async function parked({ state }: Migration): Promise<Phase> {
  await condition(() => state.retry);
  const phase = state.parkedIn ?? 'preflight';
  state.retry = false;
  state.parkedIn = null;
  state.failure = null;
  state.applierFailure = null;
  const backBeforeTheSwitch = phase === 'cutting-over' && state.switchedAt === null;
  if (!backBeforeTheSwitch || state.unsettled) return phase;
  // The approval was used up: window, lag and a fresh approval come first.
  return state.verification === null ? 'verifying' : 'awaiting-window';
}

/** Leaves the source as it was found. What fails here parks, and abort may be sent again. */
export async function abort(migration: Migration): Promise<Phase> {
  const { state, applier } = migration;
  if (state.abort === null) return state.phase;
  await applier.stop();
  const { by, dropTarget } = state.abort;
  try {
    state.aborted = await abortMigration({ config: located(migration), dropTarget });
  } catch (error) {
    const failure = summarize(error);
    if (failure === null) throw error;
    state.abort = null;
    return park(migration, state.parkedIn ?? state.phase, {
      ...failure,
      message: `the abort asked for by ${by} did not end: ${failure.message}`,
    });
  }
  for (const line of state.aborted.undone) milestone(migration, line);
  if (!state.aborted.refused) return 'aborted';
  state.abort = null;
  return park(migration, state.parkedIn ?? state.phase, {
    code: 'MIGRATION_CONFLICT',
    message: `the abort asked for by ${by} came after the switch; nothing was undone`,
  });
}
