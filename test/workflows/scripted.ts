import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/contract.ts';
import { emptyCatalog } from '../../src/mysql/catalog/types.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { PlannedAct, Survey } from '../../src/prepare/act.ts';
import type { CloudPlan } from '../../src/prepare/act.ts';
import type { FailureCode } from '../../src/failures.ts';
import type { Engine } from '../../src/config/schema.ts';
import type { Finding } from '../../src/preflight/finding.ts';
import type { PreflightResult } from '../../src/preflight/run.ts';

/**
 * The activities' interface, played by a script: what the workflow does with their answers is tested
 * here; what they do to MySQL is tested on MySQL.
 */
export type Script = { [N in keyof Activities]?: Activities[N] };

export const position = {
  gtidSet: '8a94f357-aab4-11df-86ab-c80aa9429562:1-9',
  file: 'b.000003',
  offset: 99,
};

const address = { host: 'db.example', port: 3306 };

/** Nothing left to prepare. */
export const cloudPlan: CloudPlan = {
  hash: 'c'.repeat(64),
  source: surveyed({}),
  target: surveyed({}),
};

export function surveyed(patch: Partial<Survey>): Survey {
  return { findings: [], acts: [], address, facts: [], differences: [], running: [], ...patch };
}

export function planned(patch: Partial<PlannedAct> & Pick<PlannedAct, 'name'>): PlannedAct {
  return {
    when: 'preparation',
    does: `does ${patch.name}`,
    interrupts: null,
    costs: null,
    cannotBeUndone: null,
    undo: null,
    needsApproval: false,
    ...patch,
  };
}

export function scripted(script: Script = {}): { activities: Activities; calls: string[] } {
  const calls: string[] = [];
  const activities: Activities = {
    surveyClouds: async () => cloudPlan,
    beginAct: async ({ act }) => ({ token: `t:${act}` }),
    completeAct: async ({ act, begun }) => ({ note: `${act} done after ${begun.token}` }),
    undoClouds: async () => ({ undone: ['kept Azure server shop-new'], running: [] }),
    guardBinlog: forever,
    lowerTtls: async () => [],
    restoreTtls: async () => [],
    openMigration: async () => ({ resumed: false }),
    emptyTarget: async () => ['emptied the target: 2 tables were dropped'],
    runPreflight: async () => found({ code: 'LOG_BIN', severity: 'ok', found: 'log_bin is ON' }),
    makePlan: async (input) => ({
      hash: 'a'.repeat(64),
      plan: makePlan(input.config, emptyCatalog, input.findings, {
        assessments: input.engines,
        inUse: input.engine,
        changesPerSecond: null,
      }),
    }),
    provision: async () => ({ position, changes: [] }),
    createTables: async () => ({ tables: 2 }),
    copyTables: async () => ({ rows: 10, bytes: 1000, tables: [] }),
    converge: async () => ({ rounds: 1, repaired: [{ table: 'shop.orders', rows: 3 }] }),
    buildIndexes: async () => {},
    createViewsAndRoutines: async () => ({ notes: [] }),
    applyChanges: forever,
    awaitLag: async () => ({ lagMs: 100 }),
    watchLag: forever,
    readLag: async () => ({ lagMs: 100 }),
    verifyTables: async () => ({
      equal: true,
      position,
      rows: 10,
      seconds: 1,
      differing: 0,
      tables: [{ table: 'shop.orders', rows: 10, chunks: 1, digest: 'd', differing: 0 }],
    }),
    resolveWindow: async () => window(0, 3_600_000),
    cutOver: async () => ({
      switchedAt: new Date().toISOString(),
      writeDowntimeMs: 1500,
      sourcePosition: position,
      steps: [],
      unfenceCommand: 'SET GLOBAL super_read_only = OFF',
    }),
    settleCutover: async () => ({ switched: false }),
    completeMigration: async () => ({ notes: [], lag: [] }),
    abortMigration: async () => ({ refused: false, undone: ['removed the checkpoint'] }),
    listSearchAttributes: async () => [],
    ...script,
  };
  return { activities: recorded(activities, calls), calls };
}

/** What preflight says where every engine is possible. */
export function found(...findings: Finding[]): PreflightResult {
  const assess = (engine: Engine) =>
    ({ engine, possible: true, blockers: [], warnings: [], notes: [] }) as const;
  return { findings, engines: [assess('built-in'), assess('native'), assess('azure-dms')] };
}

function recorded(activities: Activities, calls: string[]): Activities {
  const entries = Object.entries(activities) as [string, (input: never) => Promise<unknown>][];
  return Object.fromEntries(
    entries.map(([name, run]) => [
      name,
      async (input: never) => {
        calls.push(name);
        return await run(input);
      },
    ]),
  ) as unknown as Activities;
}

/** Heart-beats until it is cancelled, as the long activities do. */
export async function forever(): Promise<never> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 200);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(timer);
  }
}

export function window(opensInMs: number, closesInMs: number) {
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  return { opensAt: at(opensInMs), closesAt: at(closesInMs), opensInMs, closesInMs };
}

export function failing(code: FailureCode, message = 'as scripted'): () => Promise<never> {
  return async () => {
    const failure = ApplicationFailure.create({
      type: code,
      message,
      nonRetryable: true,
      details: [{ safe: 'the source takes writes', next: 'try again' }],
    });
    // As real activities do: no stack enters a history.
    failure.stack = '';
    throw failure;
  };
}

/** Each call takes the next answer; the last one stays. */
export function inTurn<I, R>(...answers: ((input: I) => Promise<R>)[]): (input: I) => Promise<R> {
  let turn = 0;
  return async (input) => {
    const answer = answers[Math.min(turn++, answers.length - 1)];
    if (answer === undefined) throw new Error('no answer scripted');
    return await answer(input);
  };
}
