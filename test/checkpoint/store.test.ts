import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as epochs from '../../src/checkpoint/epoch.ts';
import { forgetProgress } from '../../src/checkpoint/forget-progress.ts';
import * as store from '../../src/checkpoint/store.ts';
import { createCheckpoint } from '../../src/checkpoint/take-name.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { TestMysql } from '../servers.ts';
import { startMysql } from '../servers.ts';

let server: TestMysql;
let target: Connection;

const row = {
  name: 'orders',
  configHash: 'a'.repeat(64),
  workflowRun: 'run-1',
  sourceUuid: '00000000-0000-0000-0000-000000000001',
};
const start = { gtidSet: '00000000-0000-0000-0000-000000000001:1-9', file: 'b.000009', offset: 4 };
const progress = {
  position: { ...start, offset: 500 },
  sourceTime: '2024-02-29T23:59:59.123456Z',
  lagMs: 12,
  transactions: 2,
  rowChanges: 7,
};

beforeAll(async () => {
  server = await startMysql(['--default-time-zone=+05:30']);
  target = await openConnection(server.endpoint);
});
afterAll(async () => {
  await target.close();
  await server.stop();
});
beforeEach(async () => {
  await store.removeCheckpoint(target, row.name);
  await createCheckpoint(target, row);
});

describe('taking a name', () => {
  test('the same configuration resumes, another is refused', async () => {
    expect(await createCheckpoint(target, { ...row, workflowRun: 'run-2' })).toBe('resumed');
    expect(await store.readCheckpoint(target, 'orders')).toMatchObject({ workflowRun: 'run-2' });
    const other = createCheckpoint(target, { ...row, configHash: 'b'.repeat(64) });
    await expect(other).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT' });
  });

  test.each([store.markSwitched, store.markCompleted])('over is over', async (mark) => {
    await mark(target, 'orders');
    const again = createCheckpoint(target, row);
    await expect(again).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT' });
  });

  test('removed with its schema, and absent without it', async () => {
    await store.removeCheckpoint(target, 'orders');
    expect(await store.readCheckpoint(target, 'orders')).toBeNull();
    expect(await target.query("SHOW DATABASES LIKE 'skyferry'")).toEqual([]);
    await store.removeCheckpoint(target, 'orders');
    expect(await createCheckpoint(target, row)).toBe('created');
  });
});

test('the first starting position stays', async () => {
  await store.setStartPosition(target, 'orders', start);
  await store.setStartPosition(target, 'orders', { ...start, file: 'b.000010' });
  expect(await store.readCheckpoint(target, 'orders')).toMatchObject({ position: start });
});

describe('the epoch', () => {
  test('progress is kept exactly, in UTC, also when nothing changes', async () => {
    const holder = { name: 'orders', epoch: await epochs.acquireEpoch(target, 'orders') };
    await epochs.updateCheckpoint(target, holder, progress);
    await epochs.updateCheckpoint(target, holder, { ...progress, transactions: 0, rowChanges: 0 });
    const stored = await store.requireCheckpoint(target, 'orders');
    expect(stored).toMatchObject({
      position: progress.position,
      sourceTime: progress.sourceTime,
      lagMs: 12,
      transactions: 2,
      rowChanges: 7,
      epoch: 1n,
    });
    expect(Math.abs(Date.parse(stored.updatedAt) - Date.now())).toBeLessThan(60_000);
  });

  test('a later holder silences the former one', async () => {
    const former = { name: 'orders', epoch: await epochs.acquireEpoch(target, 'orders') };
    await epochs.acquireEpoch(target, 'orders');
    for (const write of [
      () => epochs.updateCheckpoint(target, former, progress),
      () => epochs.raiseHigh(target, former, start),
      () => epochs.assertEpoch(target, former),
    ]) {
      await expect(write()).rejects.toMatchObject({ code: 'EPOCH_LOST' });
    }
  });

  test('taking over waits for a commit that is under way', async () => {
    const holder = { name: 'orders', epoch: await epochs.acquireEpoch(target, 'orders') };
    await using zombie = await openConnection(server.endpoint);
    await zombie.query('BEGIN');
    await epochs.updateCheckpoint(zombie, holder, progress);
    let taken = false;
    const taking = epochs.acquireEpoch(target, 'orders').then((epoch) => {
      taken = true;
      return epoch;
    });
    await zombie.query('SELECT SLEEP(0.3)');
    expect(taken).toBe(false);
    await zombie.query('COMMIT');
    expect(await taking).toBe(2n);
    expect(await store.readCheckpoint(target, 'orders')).toMatchObject({ rowChanges: 7 });
  });
});

test('the high watermark only rises, by the number of the file', async () => {
  const holder = { name: 'orders', epoch: await epochs.acquireEpoch(target, 'orders') };
  const highs = [
    { file: 'b.000099', offset: 10 },
    { file: 'b.000099', offset: 9 },
    { file: 'b.1000000', offset: 4 },
    { file: 'b.999999', offset: 5000 },
  ];
  for (const high of highs) await epochs.raiseHigh(target, holder, high);
  expect(await store.readCheckpoint(target, 'orders')).toMatchObject({ high: highs[2] });
});

test('what is remembered is merged; null forgets', async () => {
  await store.remember(target, 'orders', { retention: 24, fence: { readOnly: 'OFF' } });
  await store.remember(target, 'orders', { fence: { superReadOnly: 'OFF' }, retention: null });
  const { remembered } = await store.requireCheckpoint(target, 'orders');
  expect(remembered).toEqual({ fence: { readOnly: 'OFF', superReadOnly: 'OFF' } });
});

test('loaded anew, it begins where no position is; only the holder of the epoch may forget', async () => {
  const former = { name: 'orders', epoch: await epochs.acquireEpoch(target, 'orders') };
  await store.setStartPosition(target, 'orders', start);
  await epochs.updateCheckpoint(target, former, progress);
  await epochs.raiseHigh(target, former, { file: 'b.000009', offset: 99 });
  await store.remember(target, 'orders', { retention: 24, convergesFrom: start });
  await target.execute(
    "INSERT INTO skyferry.copied_table (migration, schema_name, table_name, chunks) VALUES ('orders', 's', 't', 1), ('other', 's', 't', 1)",
  );
  const holder = { name: 'orders', epoch: await epochs.acquireEpoch(target, 'orders') };
  await expect(forgetProgress(target, former)).rejects.toMatchObject({ code: 'EPOCH_LOST' });
  // What a successor has copied meanwhile is not a former one's to forget.
  expect(await target.query('SELECT migration FROM skyferry.copied_table')).toHaveLength(2);
  await forgetProgress(target, holder);
  expect(await store.readCheckpoint(target, 'orders')).toMatchObject({
    position: null,
    high: null,
    sourceTime: null,
    rowChanges: 0,
    remembered: { retention: 24 },
  });
  expect(await target.query('SELECT migration FROM skyferry.copied_table')).toEqual([
    { migration: 'other' },
  ]);
  await store.setStartPosition(target, 'orders', { ...start, offset: 1000 });
  expect(await store.readCheckpoint(target, 'orders')).toMatchObject({
    position: { offset: 1000 },
  });
});
