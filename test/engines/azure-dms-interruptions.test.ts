import { afterAll, beforeAll, expect, test } from 'vitest';
import { acquireEpoch } from '../../src/checkpoint/epoch.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { beginSync } from '../../src/engines/azure-dms/begin-sync.ts';
import { rememberDms } from '../../src/engines/azure-dms/memory.ts';
import { markTakenOver, takeOver } from '../../src/engines/azure-dms/take-over.ts';
import { sync } from '../../src/engines/azure-dms/task-requests.ts';
import { differences } from '../replicate/lab.ts';
import { until } from '../replicate/running.ts';
import type { DmsLab, DmsScene } from './dms-lab.ts';
import {
  drained,
  loadAll,
  noteRemoved,
  openDmsLab,
  says,
  startApply,
  startWriter,
} from './dms-lab.ts';

let lab: DmsLab;
const { signal } = new AbortController();

beforeAll(async () => {
  lab = await openDmsLab();
});
afterAll(async () => {
  await lab.clouds.stop();
});

const quiet = { signal, onProgress: () => {} };

/** A worker that dies once `when` is true. */
async function killedLoad(scene: DmsScene, when: () => boolean | Promise<boolean>): Promise<void> {
  const killed = new AbortController();
  const loading = scene.engine().load({ signal: killed.signal, onProgress: () => {} });
  loading.catch(() => {});
  await until(when);
  killed.abort(new Error('killed'));
  await expect(loading).rejects.toThrow('killed');
}

test('a worker that is killed while it connects and while it loads leaves one task of each kind to the next', async () => {
  const scene = await lab.begin('killed');
  const writer = startWriter(lab.source, 1);
  await killedLoad(scene, async () => 'source-1' in (await scene.tasks()));
  await killedLoad(scene, async () => 'sync-1' in (await scene.tasks()));
  const copied = await loadAll(scene);
  expect(Object.keys(await scene.tasks()).toSorted()).toEqual(['source-1', 'sync-1', 'target-1']);
  expect(copied.tables.map(({ table }) => table).toSorted()).toEqual([
    'audit.trail',
    'ledger.account',
    'ledger.entry',
    'ledger.heap',
  ]);
  expect(copied.rows).toBeGreaterThan(1000);

  const running = startApply(scene.engine());
  await lab.clouds.faults([{ match: { operation: 'Tasks_Get' }, kind: 'throttle', times: 3 }]);
  await says(running, 'ledger R');
  await running.stop();
  const next = startApply(scene.engine());
  await writer.stop();
  await drained(scene, next);
  expect(await differences(scene)).toEqual({});
  await next.stop();
  expect((await scene.remains().end(signal))[0]).toBe('cancelled the task sync-1 of Azure DMS');
  expect(await scene.tasks()).toMatchObject({ 'sync-1': 'Canceled' });
});

test('a task that faults is lost with the service’s own code, and only what was released is begun anew', async () => {
  const scene = await lab.begin('lost');
  await lab.clouds.faults([
    { match: { operation: 'DataMigration_FullLoad' }, kind: 'fail-operation', code: 'TargetGone' },
  ]);
  const lost = {
    code: 'REPLICATION_LOST',
    message: expect.stringContaining('its task sync-1 ended as Faulted: TargetGone: '),
    detail: { next: expect.stringContaining('switch-engine') },
  };
  await expect(scene.engine().load(quiet)).rejects.toMatchObject(lost);
  await expect(scene.engine().load(quiet)).rejects.toMatchObject(lost);
  expect((await scene.remains().end(signal))[0]).toBe(
    'the task sync-1 of Azure DMS has ended (Faulted)',
  );
  const told: (string | undefined)[] = [];
  await scene.engine().load({ signal, onProgress: ({ engine }) => told.push(engine) });
  expect(told[0]).toBe('Azure DMS: looks at both servers');
  expect(told.at(-1)).toMatch(/^Azure DMS: sync-2 Running; audit \w+, \d+ of \d+ changes applied/);
  await loadAll(scene);
  const running = startApply(scene.engine());
  await says(running, 'sync-2 Running');
  await lab.clouds.faults([
    { match: { operation: 'DataMigration_Replicate' }, kind: 'fail-operation', code: 'NoMemory' },
  ]);
  await expect(running.ended).rejects.toMatchObject({
    code: 'REPLICATION_LOST',
    message: expect.stringContaining('NoMemory'),
  });
  await scene.remains().release(signal);
});

test('a login that is refused says so, and is tried anew by another task', async () => {
  const scene = await lab.begin('refused');
  const engine = scene.engine();
  await lab.clouds.faults([
    {
      match: { operation: 'DataMigration_ConnectToTarget' },
      kind: 'fail-operation',
      code: 'AccessDenied',
    },
  ]);
  await expect(engine.load(quiet)).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
    message: expect.stringContaining('cannot connect to the target (Failed): AccessDenied'),
  });
  await engine.load(quiet);
  expect(await scene.tasks()).toMatchObject({
    'source-1': 'Succeeded',
    'target-1': 'Failed',
    'source-2': 'Succeeded',
    'target-2': 'Succeeded',
    'sync-2': 'Running',
  });
  await scene.remains().release(signal);
});

test('a service that somebody has removed is said so, and not taken for a task that died', async () => {
  const scene = await lab.begin('removed');
  await scene.dms.service.removeProject('removed', signal);
  await expect(scene.engine().load(quiet)).rejects.toMatchObject({
    code: 'CLOUD_FAILED',
    message: 'the migration service ferry with its project removed is not there any more',
    detail: { next: expect.stringContaining('switch-engine') as string },
  });
});

test('a task that a worker thought dead was about to begin cannot be begun any more', async () => {
  const scene = await lab.begin('late');
  const { dms } = scene;
  await withConnection(lab.target, {}, (c) => rememberDms(c, 'late', { task: 'sync-1' }));
  expect(await scene.remains().end(signal)).toEqual(['the task sync-1 of Azure DMS is not there']);
  const late = dms.service.startTask(dms.project, 'sync-1', sync(dms), signal);
  await expect(late).rejects.toMatchObject({ code: 'CLOUD_FAILED' });
});

test('a worker that was frozen before it noted its task begins none once another has ended it all', async () => {
  const scene = await lab.begin('frozen');
  const epoch = await withConnection(lab.target, {}, (c) => acquireEpoch(c, 'frozen'));
  expect(await scene.remains().end(signal)).toEqual([]);
  const late = beginSync(scene.dms, { name: 'frozen', epoch }, signal);
  await expect(late).rejects.toMatchObject({ code: 'EPOCH_LOST' });
  expect(await scene.tasks()).not.toHaveProperty('sync-1');
});

test('a cutover waits for our applier that takes over, which begins nothing behind another cutover', async () => {
  const scene = await lab.begin('order');
  const note = async (patch: Parameters<typeof rememberDms>[2]) =>
    await withConnection(lab.target, {}, (c) => rememberDms(c, 'order', patch));
  await note({ task: 'sync-1', completing: 'sync-1' });
  await noteRemoved(scene, true);
  const taking = (taker: string) => takeOver(scene.dms, { taker, signal, onLook: () => {} });
  expect(await taking('first')).toBe('not wanted');
  expect((await scene.checkpoint()).remembered['dms']).not.toHaveProperty('takingOver');
  await noteRemoved(scene, false);
  expect(await taking('first')).toBe('has to converge');
  // A worker that is thought dead has converged; its successor copies tables again.
  expect(await taking('second')).toBe('has to converge');
  const late = markTakenOver(scene.dms, 'first', signal);
  await expect(late).rejects.toMatchObject({ code: 'EPOCH_LOST' });
  await noteRemoved(scene, true);
  let detached = false;
  const detaching = scene
    .remains()
    .detach(signal)
    .then(() => (detached = true));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(detached).toBe(false);
  await markTakenOver(scene.dms, 'second', signal);
  expect(await detaching).toBe(true);
  // An abort that did not end has given it up: what retry-phase then finds is to be loaded anew.
  await noteRemoved(scene, false);
  await scene.remains().end(signal);
  await expect(startApply(scene.engine()).ended).rejects.toMatchObject({
    code: 'REPLICATION_LOST',
  });
});
