import { expect, test } from 'vitest';
import { toTaskView } from '../../../../src/clouds/azure/data-migration/task-view.ts';

const migration = (properties: object) =>
  toTaskView({ properties: { taskType: 'Migrate.MySql.AzureDbForMySql.Sync', ...properties } });

test('what is in no list of the vendor is named, and ends nothing', () => {
  const { end, unknown } = migration({
    state: 'Paused',
    commands: [{ input: { databaseName: 'shop' }, state: 'Deferred' }],
    output: [
      { resultType: 'DatabaseLevelOutput', databaseName: 'shop', migrationState: 'INITIALIZING' },
      { resultType: 'TableLevelOutput', databaseName: 'shop', tableName: 'item', state: 'LOADED' },
      { resultType: 'ShardLevelOutput' },
    ],
  });
  expect(end).toBeNull();
  expect(unknown).toEqual([
    'task state Paused',
    'command state Deferred',
    'result type ShardLevelOutput',
    'database state INITIALIZING of shop',
    'table state LOADED of shop.item',
  ]);
});

test('the vendor’s spelling is known, counters are numbers in either form, errors of all kinds are there', () => {
  const view = migration({
    state: 'Faulted',
    errors: [{ code: 'ConnectionsLost', message: 'gone' }],
    output: [
      {
        resultType: 'DatabaseLevelOutput',
        databaseName: 'shop',
        migrationState: 'INITIALIAZING',
        incomingChanges: 12,
        cdcInsertCounter: '7',
      },
      { resultType: 'ErrorOutput', error: { message: 'TaskFaulted: it broke', hResult: 1 } },
      {
        id: 'db|shop',
        resultType: 'DatabaseLevelErrorOutput',
        errorMessage: 'Cannot go on',
        events: [{ eventText: 'the first' }],
      },
    ],
  });
  expect(view).toMatchObject({
    end: 'failed',
    unknown: [],
    errors: [{ code: 'ConnectionsLost', message: 'gone' }],
    sync: {
      databases: [{ state: 'INITIALIAZING', incoming: 12, applied: 0, inserts: 7, latency: null }],
      errors: [
        { code: 'TaskFaulted', message: 'it broke' },
        { code: '', message: 'Cannot go on; the first', database: 'shop' },
      ],
    },
  });
});

test('an answer that is none says nothing but that', () => {
  expect(toTaskView(null)).toMatchObject({ state: '', end: null, unknown: ['task state '] });
});
