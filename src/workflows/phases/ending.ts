import { condition } from '@temporalio/workflow';
import { abortMigration, restoreTtls, undoClouds } from '../activities.ts';
import { summarize } from '../failures.ts';
import type { Phase } from '../messages.ts';
import { isInClouds } from '../messages.ts';
import type { AbortResult } from '../results.ts';
import type { Migration } from '../migration.ts';
import { located } from '../located.ts';
import { milestone, park } from '../migration.ts';
import { startOver } from '../engine-in-use.ts';
import { hasTtls } from './waiting.ts';

export async function parked({ state, desk, applier }: Migration): Promise<Phase> {
  await condition(() => state.retry);
  const phase = state.parkedIn ?? 'preflight';
  const differ = [state.failure, state.applierFailure].some((one) => one?.code === 'ROWS_DIFFER');
  state.retry = false;
  state.parkedIn = null;
  state.failure = null;
  state.applierFailure = null;
  if (state.startsOver && !state.unsettled) {
    // It may still apply what somebody else parked on; nobody may write to tables that are dropped.
    await applier.stop();
    state.applierFailure = null;
    desk.reset();
    return startOver(state);
  }
  await applier.stopFormerEngine();
  // Whoever made one row differ may have touched others, which no comparison of changes would see.
  if (differ && state.switchedAt === null && !state.unsettled) {
    state.verification = null;
    if (phase === 'awaiting-window' || phase === 'awaiting-approval') return 'catching-up';
  }
  const backBeforeTheSwitch = phase === 'cutting-over' && state.switchedAt === null;
  if (!backBeforeTheSwitch || state.unsettled) return phase;
  // The approval was used up: window, lag and a fresh approval come first.
  return state.verification === null ? 'verifying' : 'awaiting-window';
}

/** What is in the databases first: it is reached through what the clouds are asked to take back. */
async function undo(
  migration: Migration,
  { dropTarget, deleteCreated }: { dropTarget: boolean; deleteCreated: boolean },
): Promise<AbortResult> {
  const { config, state } = migration;
  const { servers, preparation, ttls } = state;
  const undone: string[] = [];
  if (!isInClouds(config) || servers !== null) {
    const result = await abortMigration({ config: located(migration), dropTarget });
    if (result.refused) return result;
    undone.push(...result.undone);
  }
  // Stopped while they were being lowered, nobody has said which ones are.
  const mayBeLowered = state.history.some(({ phase }) => phase === 'awaiting-window');
  if (ttls !== null || ((state.verifiedOnce || mayBeLowered) && hasTtls(config))) {
    undone.push(...(await restoreTtls({ config: located(migration), ttls })));
    state.ttls = null;
  }
  if (preparation !== null) {
    const { source, target, hash } = preparation.plan;
    const addresses = servers ?? { source: source.address, target: target.address };
    const { formers } = preparation;
    const left = await undoClouds({ config, formers, addresses, deleteCreated });
    undone.push(...left.undone);
    preparation.plan = { source, target: { ...target, facts: [], running: left.running }, hash };
  }
  return { refused: false, undone };
}

/** Leaves the source as it was found. What fails here parks, and abort may be sent again. */
export async function abort(migration: Migration): Promise<Phase> {
  const { state, applier, guard } = migration;
  if (state.abort === null) return state.phase;
  await Promise.all([applier.stop(), guard.stop()]);
  const { by, dropTarget, deleteCreated } = state.abort;
  try {
    state.aborted = await undo(migration, { dropTarget, deleteCreated });
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
