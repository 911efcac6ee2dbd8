import type { ActivityOptions } from '@temporalio/workflow';
import { ActivityFailure, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import * as policies from './policies.ts';

/** What a person reads in the timeline of Temporal's UI. */
const summaries: Record<keyof Activities, string> = {
  surveyClouds: 'look at both servers in their clouds; nothing is changed',
  beginAct: 'ask a cloud for one change',
  completeAct: 'wait for the change, and read it back',
  undoClouds: 'list what was created, put former values back',
  guardBinlog: 'watch that the source keeps its binlog',
  lowerTtls: 'lower the TTLs of the DNS records that will be switched',
  restoreTtls: 'put the TTLs back',
  openMigration: "take the migration's name on the target",
  emptyTarget: 'empty the target, to load it anew',
  runPreflight: 'check both servers; nothing is changed',
  makePlan: 'make the plan that a person will approve',
  provision: 'schemas, binlog retention, the starting position',
  createTables: 'create the tables, keys only',
  copyTables: 'copy the rows in parallel chunks',
  converge: 'apply what changed meanwhile, until every chunk is exact',
  buildIndexes: 'build indexes, unique and foreign keys',
  createViewsAndRoutines: 'create views and routines',
  applyChanges: "apply the source's changes, until the switch",
  awaitLag: 'wait until the lag stays below the threshold',
  watchLag: 'watch that the lag stays below the threshold',
  readLag: 'read the lag before the cutover',
  verifyTables: 'compare every row, under writes',
  resolveWindow: 'when the maintenance window opens and closes',
  cutOver: 'fence, prove, drain, compare, switch',
  settleCutover: 'after an interrupted cutover: un-fence, or go on',
  completeMigration: 'put former values back, close the checkpoint',
  abortMigration: 'undo and remove what was made',
  listSearchAttributes: 'which search attributes are registered',
};

function proxied<Name extends keyof Activities>(
  name: Name,
  policy: ActivityOptions,
): Activities[Name] {
  return proxyActivities<Activities>({ ...policy, summary: summaries[name] })[name];
}

/** The activities under their policies. */
export const surveyClouds = proxied('surveyClouds', policies.cloud);
export const beginAct = proxied('beginAct', policies.cloud);
export const completeAct = proxied('completeAct', policies.cloud);
export const undoClouds = proxied('undoClouds', policies.cloud);
export const lowerTtls = proxied('lowerTtls', policies.cloud);
export const restoreTtls = proxied('restoreTtls', policies.cloud);
export const openMigration = proxied('openMigration', policies.steady);
export const emptyTarget = proxied('emptyTarget', policies.steady);
export const runPreflight = proxied('runPreflight', policies.steady);
export const makePlan = proxied('makePlan', policies.steady);
export const provision = proxied('provision', policies.steady);
export const createTables = proxied('createTables', policies.steady);
export const createViewsAndRoutines = proxied('createViewsAndRoutines', policies.steady);
export const completeMigration = proxied('completeMigration', policies.steady);
export const abortMigration = proxied('abortMigration', policies.steady);
export const readLag = proxied('readLag', policies.brief);
export const resolveWindow = proxied('resolveWindow', policies.brief);
export const listSearchAttributes = proxied('listSearchAttributes', policies.brief);
export const copyTables = proxied('copyTables', policies.long);
export const converge = proxied('converge', policies.long);
export const buildIndexes = proxied('buildIndexes', policies.long);
export const applyChanges = proxied('applyChanges', policies.long);
export const verifyTables = proxied('verifyTables', policies.long);
export const awaitLag = proxied('awaitLag', policies.watching);
export const guardBinlog = proxied('guardBinlog', policies.watching);
export const watchLag = proxied('watchLag', policies.watching);
export const cutOver = proxied('cutOver', policies.cutover);
export const finishCutover = proxied('cutOver', policies.finishing);
export const settleCutover = proxied('settleCutover', policies.settling);

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
