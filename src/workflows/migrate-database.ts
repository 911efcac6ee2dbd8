import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { requireConfig } from '../config/parse.ts';
import type { MigrationConfig } from '../config/schema.ts';
import { Applier } from './applier.ts';
import { ApprovalDesk } from './approval.ts';
import { BinlogGuard } from './binlog-guard.ts';
import { describeDetails } from './details.ts';
import { fatal, summarize } from './failures.ts';
import { Inbox } from './inbox.ts';
import { Interrupted, untilStopped } from './interruption.ts';
import type { Phase } from './messages.ts';
import type { Migration } from './migration.ts';
import { park } from './migration.ts';
import { catchingUp, verifying } from './phases/comparing.ts';
import { cuttingOver, rolledBack } from './phases/cutting-over.ts';
import { abort, parked } from './phases/ending.ts';
import { fullLoad, provisioning } from './phases/loading.ts';
import { preflight } from './phases/preflight.ts';
import { awaitingPreparation, preparing, resizing } from './phases/preparing.ts';
import { awaitingApproval, awaitingWindow } from './phases/waiting.ts';
import { EVENTS_A_RUN } from './policies.ts';
import type { MigrationReport } from './results.ts';
import type { State } from './state.ts';
import { isOver, keep, newState, nowIso } from './state.ts';
import { describeReport, describeStatus } from './status.ts';

/**
 * Moves one database. `input` is the validated config as JSON; anybody may start a workflow with anything,
 * so it is validated again. `carried` comes from this workflow's own former run only.
 */
export async function migrateDatabase(input: unknown, carried?: State): Promise<MigrationReport> {
  const config = readInput(input);
  // The former run may have been an earlier version's.
  const state: State = { ...newState(nowIso()), ...carried };
  const desk = new ApprovalDesk(state, config.cutover.approval.expiresAfter);
  const migration: Migration = {
    config,
    state,
    desk,
    applier: new Applier(config, state),
    guard: new BinlogGuard(),
    show: () => setCurrentDetails(describeDetails(status(migration), nowIso())),
  };
  new Inbox(config, state, desk, migration.show).open();
  answerQueries(migration);
  return await run(migration, input);
}

function readInput(input: unknown): MigrationConfig {
  try {
    return requireConfig(input);
  } catch (error) {
    const failure = summarize(error);
    throw failure === null ? error : fatal(failure);
  }
}

function answerQueries(migration: Migration): void {
  setHandler(defineQuery('status'), () => status(migration));
  setHandler(defineQuery('plan'), () => migration.state.plan);
  setHandler(defineQuery('report'), () => report(migration));
}

const status = ({ config, state }: Migration) =>
  describeStatus(config, state, workflowInfo().runId);
const report = (migration: Migration) => describeReport(status(migration), migration.state);

async function run(migration: Migration, input: unknown): Promise<MigrationReport> {
  const { state, applier, guard, show } = migration;
  show();
  while (!isOver(state.phase)) {
    if (historyIsLong()) {
      await Promise.all([applier.stop(), guard.stop()]);
      await condition(allHandlersFinished);
      await continueAsNew<typeof migrateDatabase>(input, state);
    }
    applier.ensure();
    guard.ensure(migration);
    enter(migration, await step(migration));
  }
  await Promise.all([applier.stop(), guard.stop()]);
  await condition(allHandlersFinished);
  return report(migration);
}

/** The one place where the phase changes. */
function enter({ state, show, config }: Migration, phase: Phase): void {
  if (phase !== state.phase) {
    const now = nowIso();
    const last = state.history.at(-1);
    if (last !== undefined) last.endedAt = now;
    keep(state.history, { phase, startedAt: now, ...(isOver(phase) && { endedAt: now }) });
    state.phase = phase;
    labelRun(config.name, phase, state.searchAttributes ?? []);
  }
  show();
}

/** One step of the machine: ends with the phase that comes next, or the same one again. */
async function step(migration: Migration): Promise<Phase> {
  const { state } = migration;
  if (state.abort !== null) return await abort(migration);
  if (state.applierFailure !== null && applierMatters(state)) {
    return park(migration, state.phase, state.applierFailure);
  }
  if (state.paused && state.phase !== 'parked' && state.phase !== 'rolled-back') {
    await condition(() => !state.paused || mustLeave(state) || historyIsLong());
    return state.phase;
  }
  try {
    return await untilStopped(
      () => mustStop(state) || (mayContinueAsNewIn(state.phase) && historyIsLong()),
      async () => await work(migration),
    );
  } catch (error) {
    if (error instanceof Interrupted) return state.phase;
    const failure = summarize(error);
    if (failure !== null) return park(migration, state.phase, failure);
    if (error instanceof ApplicationFailure) enter(migration, 'failed');
    throw error;
  }
}

function work(migration: Migration): Promise<Phase> {
  const { phase } = migration.state;
  switch (phase) {
    case 'preflight':
      return preflight(migration);
    case 'awaiting-preparation':
      return awaitingPreparation(migration);
    case 'preparing':
      return preparing(migration);
    case 'provisioning':
      return provisioning(migration);
    case 'full-load':
      return fullLoad(migration);
    case 'catching-up':
      return catchingUp(migration);
    case 'resizing':
      return resizing(migration);
    case 'verifying':
      return verifying(migration);
    case 'awaiting-window':
      return awaitingWindow(migration);
    case 'awaiting-approval':
      return awaitingApproval(migration);
    case 'cutting-over':
      return cuttingOver(migration);
    case 'rolled-back':
      return rolledBack(migration);
    case 'parked':
      return parked(migration);
    case 'completed':
    case 'aborted':
    case 'failed':
      throw new Error(`a migration that is ${phase} has no next step`);
  }
}

/** Somebody, or the applier, says that the running phase must not go on. */
function mustStop(state: State): boolean {
  return (state.paused && state.phase !== 'parked') || mustLeave(state);
}

function mustLeave(state: State): boolean {
  if (state.abort !== null) return true;
  return applierMatters(state);
}

/** While parked it only shows as a blocker; after a cutover was taken back, rolled-back parks on it. */
function applierMatters({ applierFailure, phase, switchedAt }: State): boolean {
  if (applierFailure === null || switchedAt !== null) return false;
  return phase !== 'parked' && phase !== 'rolled-back';
}

/** Phases that only wait lose nothing by beginning again in the next run. */
function mayContinueAsNewIn(phase: Phase): boolean {
  return ['awaiting-preparation', 'awaiting-window', 'awaiting-approval', 'parked'].includes(phase);
}

function historyIsLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > EVENTS_A_RUN;
}

const phaseKey = defineSearchAttributeKey('SkyferryPhase', 'KEYWORD');
const migrationKey = defineSearchAttributeKey('SkyferryMigration', 'KEYWORD');

/** Only attributes that an activity saw registered: any other stops the workflow for ever. */
function labelRun(name: string, phase: Phase, registered: readonly string[]): void {
  const pairs = [
    { key: phaseKey, value: phase },
    { key: migrationKey, value: name },
  ].filter(({ key }) => registered.includes(key.name));
  if (pairs.length > 0) upsertSearchAttributes(pairs);
}
