import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences } from '../replicate/lab.ts';
import type { Running } from '../replicate/running.ts';
import { until } from '../replicate/running.ts';
import type { DmsLab, DmsScene } from './dms-lab.ts';
import { drained, loadAll, noteRemoved, openDmsLab, says, startApply, startWriter } from './dms-lab.ts'; // prettier-ignore

let lab: DmsLab;
const { signal } = new AbortController();

beforeAll(async () => {
  lab = await openDmsLab();
});
afterAll(async () => {
  await lab.clouds.stop();
});

/** Loaded and followed under writes; everything is drained, as behind a fence. */
async function drainedUnderWrites(scene: DmsScene): Promise<Running> {
  const writer = startWriter(lab.source, 1);
  await loadAll(scene);
  const running = startApply(scene.engine());
  await says(running, 'ledger R');
  await writer.stop();
  await drained(scene, running);
  await noteRemoved(scene, true);
  return running;
}

async function commands(): Promise<number> {
  const requests = await lab.clouds.requests();
  return requests.filter(({ operation }) => operation === 'Tasks_Command').length;
}

/** The worker dies when the first database is told to complete. */
async function killedDetach(scene: DmsScene): Promise<void> {
  await lab.clouds.faults([
    { match: { operation: 'Tasks_Command' }, kind: 'slow', delayMs: 3_000 },
  ]);
  const before = await commands();
  const killed = new AbortController();
  const detaching = scene.remains().detach(killed.signal);
  detaching.catch(() => {});
  await until(async () => (await commands()) > before);
  killed.abort(new Error('killed'));
  await expect(detaching).rejects.toThrow('killed');
}

function counters(database: string): RegExp {
  return new RegExp(
    `^Azure DMS, ${database} \\(COMPLETE\\): loaded [1-9]\\d* rows \\(tables: [13]\\); applied (\\d+) of \\1 changes \\(\\d+ inserts, \\d+ updates, \\d+ deletes\\); 0 data errors; latency \\d+ as DMS gives it$`,
  );
}

test('a live database is moved, and a detach that was killed between two databases is repeated', async () => {
  const scene = await lab.begin('moved');
  const running = await drainedUnderWrites(scene);
  const said = running.progress.find(({ engine }) => engine?.includes('ledger R'))?.engine;
  expect(said).toMatch(/; the lag leaves out tables without a key \(1\)$/);
  expect(said).toMatch(
    /^Azure DMS: sync-1 Running; audit (RUNNING|READY_TO_COMPLETE), \d+ of \d+ changes applied, latency \d+ as DMS gives it; ledger R/,
  );
  await killedDetach(scene);
  // Taken on, its answer lost; sent once more it is refused, because the task is at its end by then.
  await lab.clouds.faults([{ match: { operation: 'Tasks_Command' }, kind: 'drop-after' }]);
  await scene.remains().detach(signal);
  expect(await commands()).toBe(3);
  expect(await scene.tasks()).toEqual({
    'source-1': 'Succeeded',
    'target-1': 'Succeeded',
    'sync-1': 'Succeeded',
  });
  expect(await differences(scene)).toEqual({});
  // Whoever watched knows that it is no failure.
  await until(() => running.progress.at(-1)?.engine === 'Azure DMS: completed for the cutover');
  await scene.remains().detach(signal);
  await running.stop();
  expect(await scene.remains().end(signal)).toEqual([
    'the task sync-1 of Azure DMS has ended (Succeeded)',
    ...['audit', 'ledger'].map((name) => expect.stringMatching(counters(name)) as string),
  ]);
  expect(await scene.remains().end(signal)).toEqual([]);
});

test('a cutover that is taken back when one database is complete leaves our own applier in the place of the task', async () => {
  const scene = await lab.begin('back');
  const running = await drainedUnderWrites(scene);
  await killedDetach(scene);
  const writer = startWriter(lab.source, 2);
  await noteRemoved(scene, false);
  await says(running, 'applies in the place of Azure DMS');
  expect(await scene.tasks()).toMatchObject({ 'sync-1': 'Canceled' });
  await running.stop();
  const again = startApply(scene.engine());
  await until(() => again.progress.length > 0);
  await writer.stop();
  await drained(scene, again);
  expect(await differences(scene)).toEqual({});
  // The next cutover finds nothing to complete.
  await noteRemoved(scene, true);
  const before = await commands();
  await scene.remains().detach(signal);
  expect(await commands()).toBe(before);
  await again.stop();
});
