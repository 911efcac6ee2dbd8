import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { config } from './config.ts';
import { Lab } from './lab.ts';
import { forever, inTurn, scripted } from './scripted.ts';

const usual = scripted().activities;
let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => {
  await lab.clear();
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

test('waiting costs no events: a whole run stays far below 500', async () => {
  const run = await lab.start({ listSearchAttributes: async () => ['SkyferryPhase'] }, config);
  await run.untilPhase('awaiting-approval');
  const before = (await run.events()).length;
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect((await run.events()).length).toBe(before);
  await run.send('approve-cutover', { by: 'ann' });
  await run.result();
  expect((await run.events()).length).toBeLessThan(250);
});

test('a long history is continued as a new run, which still knows the approval and everything else', async () => {
  const run = await lab.start({ cutOver: usual.cutOver }, config);
  await run.untilPhase('awaiting-approval');
  const first = await run.handle.describe();
  await run.send('pause');
  await run.send('approve-cutover', { by: 'ann' });
  await run.until((s) => s.approval !== undefined && s.paused);
  for (let i = 0; i < 420; i++) await run.send(`noise-${i}`);
  const later = await run.until((s) => s.runId !== first.runId, 60_000);
  expect(later.approval?.by).toBe('ann');
  expect(later.paused).toBe(true);
  expect(later.phase).toBe('awaiting-approval');
  await run.untilActivities('applyChanges');
  await run.send('resume');
  const report = await run.result();
  expect(report.status.phase).toBe('completed');
  expect(report.status.history.filter(({ phase }) => phase === 'full-load')).toHaveLength(1);
  expect(run.calls.filter((call) => call === 'copyTables')).toHaveLength(1);
});

test('a worker that dies is replaced by the next one', { timeout: 120_000 }, async () => {
  const run = await lab.start({ copyTables: inTurn(() => new Promise<never>(() => {})) }, config);
  await run.calledFor('copyTables');
  const queue = lab.queueOf(run.handle);
  // The first copy neither heart-beats nor ends, as if its process had been killed.
  await lab.abandonWorkers(queue);
  const next = await lab.startWorker({ applyChanges: forever }, queue);
  await run.until((s) => s.phase === 'awaiting-approval', 60_000);
  expect(next.calls).toContain('copyTables');
});

test('cancelling the workflow stops what runs and takes a begun cutover back', async () => {
  const run = await lab.start({ cutOver: forever }, (name) =>
    config(name, { approval: { required: false } }),
  );
  await run.calledFor('cutOver');
  await run.handle.cancel();
  await run.failure();
  expect((await run.handle.describe()).status.name).toBe('CANCELLED');
  expect(run.calls.at(-1)).toBe('settleCutover');
});
