import { expect, test } from 'vitest';
import type { TaskView } from '../../../src/clouds/azure/data-migration/task-view.ts';
import {
  judgeCompletion,
  judgeSync,
  refusedConnection,
} from '../../../src/engines/azure-dms/failures.ts';

const running: TaskView = {
  state: 'Running',
  end: null,
  errors: [],
  problems: [],
  commands: [],
  sync: { databases: [], tables: [], errors: [] },
  unknown: [],
};
const database = {
  name: 'shop',
  state: 'RUNNING',
  incoming: 0,
  applied: 0,
  inserts: 0,
  updates: 0,
  deletes: 0,
  loaded: true,
  latency: 0,
  tables: { completed: 1, loading: 0, queued: 0, errored: 0 },
};

function failed(state: string, code: string, message = 'it says so'): TaskView {
  return { ...running, state, end: 'failed', errors: [{ code, message }] };
}

test('a task that runs is left alone; one that cannot go on is lost, one that was refused is not', () => {
  expect(judgeSync('sync-1', running)).toBeNull();
  const codes = Object.fromEntries(
    Object.entries({
      faulted: failed('Faulted', 'ConnectionsLost'),
      canceled: { ...failed('Canceled', ''), errors: [] },
      completed: { ...running, state: 'Succeeded', end: 'succeeded' as const },
      database: {
        ...running,
        sync: { databases: [{ ...database, state: 'FAILED' }], tables: [], errors: [] },
      },
      table: {
        ...running,
        sync: {
          databases: [database],
          tables: [
            {
              database: 'shop',
              table: 'orders',
              state: 'ERROR',
              rows: 0,
              applied: 0,
              dataErrors: 0,
            },
          ],
          errors: [],
        },
      },
      tier: failed('FailedInputValidation', 'InvalidSku'),
      other: failed('FailedInputValidation', 'SomethingNew'),
      privilege: failed('FailedInputValidation', 'MissingPrivilege'),
      word: { ...running, unknown: ['database state RESTING of shop'] },
    }).map(([name, view]) => [name, judgeSync('sync-1', view)?.code]),
  );
  expect(codes).toEqual({
    faulted: 'REPLICATION_LOST',
    canceled: 'REPLICATION_LOST',
    completed: 'REPLICATION_LOST',
    database: 'REPLICATION_LOST',
    table: 'REPLICATION_LOST',
    tier: 'CONFIG_INVALID',
    other: 'CONFIG_INVALID',
    privilege: 'ACCESS_DENIED',
    word: 'CLOUD_FAILED',
  });
});

test('a database that died while it was to be completed ends the wait, behind the fence, at once', () => {
  const completing = (state: string): TaskView => ({
    ...running,
    sync: { databases: [{ ...database, state }], tables: [], errors: [] },
  });
  expect(judgeCompletion('sync-1', completing('COMPLETING'))).toBeNull();
  expect(judgeCompletion('sync-1', { ...running, end: 'succeeded' })).toBeNull();
  for (const state of ['FAILED', 'CANCELLED', 'VALIDATION_FAILED']) {
    expect(judgeCompletion('sync-1', completing(state))).toMatchObject({
      code: 'CLOUD_FAILED',
      message: `Azure DMS did not complete sync-1: shop is ${state}: it gives no reason`,
    });
  }
  expect(judgeCompletion('sync-1', failed('Faulted', 'NoMemory'))?.message).toContain('NoMemory');
});

test('what the service says is shown without values of rows, and not at any length', () => {
  const said = `Duplicate entry 'ann@example.com' for key 'customer.email'; password=Orders2Ledger ${'x'.repeat(500)}`;
  const failure = judgeSync('sync-1', failed('Faulted', 'TaskFaulted', said));
  expect(failure?.message).toMatch(
    /^Azure DMS cannot go on, its task sync-1 ended as Faulted: TaskFaulted: Duplicate entry '…' for key '…'; password=… x+…$/,
  );
  expect(failure?.message.length).toBeLessThan(400);
});

test('a server that lacks something is named with what helps', () => {
  const looked: TaskView = { ...running, state: 'Succeeded', end: 'succeeded', sync: null };
  expect(refusedConnection(looked, 'source')).toBeNull();
  const message = 'The account lacks the privilege REPLICATION SLAVE.';
  const problems = [{ code: 'MissingPrivilege', message }];
  expect(refusedConnection({ ...looked, problems }, 'source')).toMatchObject({
    code: 'ACCESS_DENIED',
    message: `Azure DMS finds the source not ready: MissingPrivilege: ${message}`,
    detail: { next: 'GRANT it; then retry-phase' },
  });
  expect(refusedConnection(failed('Failed', 'CannotConnectToServer'), 'target')).toMatchObject({
    code: 'CLOUD_FAILED',
    detail: { safe: 'no row was moved' },
  });
});
