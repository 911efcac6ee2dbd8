import { ActivityFailure, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import * as policies from './policies.ts';

/** The activities under their policies. */
export const {
  openMigration,
  runPreflight,
  makePlan,
  provision,
  createTables,
  createViewsAndRoutines,
  completeMigration,
  abortMigration,
} = proxyActivities<Activities>(policies.steady);
export const { readLag, resolveWindow, listSearchAttributes } = proxyActivities<Activities>(
  policies.brief,
);
export const { copyTables, converge, buildIndexes, applyChanges, verifyTables } =
  proxyActivities<Activities>(policies.long);
export const { awaitLag, watchLag } = proxyActivities<Activities>(policies.watching);
export const { cutOver } = proxyActivities<Activities>(policies.cutover);
export const { cutOver: finishCutover } = proxyActivities<Activities>(policies.finishing);
export const { settleCutover } = proxyActivities<Activities>(policies.settling);

/** Runs a long activity; attempts used up over a long time are given anew. */
export async function persistently<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    const began = Date.now();
    try {
      return await run();
    } catch (error) {
      const usedUp =
        error instanceof ActivityFailure && error.retryState === 'MAXIMUM_ATTEMPTS_REACHED';
      if (!usedUp || Date.now() - began < policies.RENEWED_AFTER_MS) throw error;
    }
  }
}
