import { abortMigration } from './abort-migration.ts';
import { applyChanges, converge } from './apply-changes.ts';
import { awaitLag, readLag, watchLag } from './lag.ts';
import { buildIndexes } from './build-indexes.ts';
import { completeMigration } from './complete-migration.ts';
import type { Activities } from './contract.ts';
import { copyTables } from './copy-tables.ts';
import { createTables } from './create-tables.ts';
import { emptyTarget } from './empty-target.ts';
import { createViewsAndRoutines } from './create-views-and-routines.ts';
import { beginAct, completeAct, surveyClouds, undoClouds } from './preparation.ts';
import { cutOver, settleCutover } from './cut-over.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { listSearchAttributes } from './list-search-attributes.ts';
import { makePlan } from './make-plan.ts';
import { openMigration } from './open-migration.ts';
import { provision } from './provision.ts';
import { resolveWindow } from './resolve-window.ts';
import { runPreflight } from './run-preflight.ts';
import { guardBinlog } from './guard-binlog.ts';
import { lowerTtls, restoreTtls } from './ttls.ts';
import { verifyTables } from './verify-tables.ts';

/** All activities of a worker. */
export function createActivities(deps: ActivityDependencies): Activities {
  return {
    surveyClouds: surveyClouds(deps),
    beginAct: beginAct(deps),
    completeAct: completeAct(deps),
    undoClouds: undoClouds(deps),
    guardBinlog: guardBinlog(deps),
    lowerTtls: lowerTtls(deps),
    restoreTtls: restoreTtls(deps),
    openMigration: openMigration(deps),
    emptyTarget: emptyTarget(deps),
    runPreflight: runPreflight(deps),
    makePlan: makePlan(deps),
    provision: provision(deps),
    createTables: createTables(deps),
    copyTables: copyTables(deps),
    converge: converge(deps),
    buildIndexes: buildIndexes(deps),
    createViewsAndRoutines: createViewsAndRoutines(deps),
    applyChanges: applyChanges(deps),
    awaitLag: awaitLag(deps),
    watchLag: watchLag(deps),
    readLag: readLag(deps),
    verifyTables: verifyTables(deps),
    resolveWindow: resolveWindow(deps),
    cutOver: cutOver(deps),
    settleCutover: settleCutover(deps),
    completeMigration: completeMigration(deps),
    abortMigration: abortMigration(deps),
    listSearchAttributes: listSearchAttributes(deps),
  };
}
