import { afterAll, beforeAll, expect, test } from 'vitest';
import { config, planHash } from './config.ts';
import { Lab } from './lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

test('goes through every phase in order and ends with the report', async () => {
  const run = await lab.start({}, config);
  await run.untilPhase('awaiting-approval');
  await run.send('approve-cutover', { by: 'ann', planHash, note: 'go' });
  const report = await run.handle.result();
  expect(report.status.history.map(({ phase }: { phase: string }) => phase)).toEqual([
    'preflight',
    'provisioning',
    'full-load',
    'catching-up',
    'verifying',
    'awaiting-window',
    'awaiting-approval',
    'cutting-over',
    'completed',
  ]);
  expect(run.calls).toContain('applyChanges');
  expect(run.calls.filter((call) => call !== 'applyChanges')).toEqual([
    'listSearchAttributes',
    'openMigration',
    'runPreflight',
    'makePlan',
    'provision',
    'createTables',
    'copyTables',
    'converge',
    'buildIndexes',
    'createViewsAndRoutines',
    'awaitLag',
    'verifyTables',
    'watchLag',
    'readLag',
    'cutOver',
    'completeMigration',
  ]);
});
