import type { RowChange } from '../../../../../mysql/binlog/events.ts';
import type { TaskError } from '../task-error.ts';
import { reported } from '../task-error.ts';

/** As the service reports a database; the misspelt one is its own. */
export type DatabaseState =
  | 'UNDEFINED'
  | 'CONFIGURING'
  | 'INITIALIAZING'
  | 'STARTING'
  | 'RUNNING'
  | 'READY_TO_COMPLETE'
  | 'COMPLETING'
  | 'COMPLETE'
  | 'CANCELLING'
  | 'CANCELLED'
  | 'FAILED';

export type TableState =
  'BEFORE_LOAD' | 'FULL_LOAD' | 'COMPLETED' | 'CANCELED' | 'ERROR' | 'FAILED';

type Counts = Record<RowChange, number>;

export interface TableProgress {
  readonly database: string;
  readonly table: string;
  state: TableState;
  /** Changes that are committed on the target. */
  readonly applied: Counts;
  rows: number;
  loadStartedOn: string | null;
  loadEndedOn: string | null;
  modifiedOn: string | null;
}

export interface DatabaseProgress {
  readonly name: string;
  readonly startedOn: string;
  endedOn: string | null;
  state: DatabaseState;
  /** Changes that were read from the source. */
  incoming: number;
  loaded: boolean;
  /** Of the change that was applied last; the specification names no unit. */
  latency: number;
}

/** What a migration has done so far: plain data, kept with the task. */
export interface SyncOutput {
  readonly startedOn: string;
  endedOn: string | null;
  readonly sourceServer: string;
  sourceVersion: string | null;
  readonly targetServer: string;
  targetVersion: string | null;
  databases: DatabaseProgress[];
  tables: TableProgress[];
  error: TaskError | null;
}

/** The members of `output`, each of its `resultType`. */
export function syncResults(output: SyncOutput): unknown[] {
  const { startedOn, endedOn, error } = output;
  return [
    {
      id: 'migration',
      resultType: 'MigrationLevelOutput',
      startedOn,
      ...(endedOn !== null && { endedOn }),
      sourceServer: output.sourceServer,
      ...(output.sourceVersion !== null && { sourceServerVersion: output.sourceVersion }),
      targetServer: output.targetServer,
      ...(output.targetVersion !== null && { targetServerVersion: output.targetVersion }),
    },
    ...output.databases.map((database) => databaseResult(database, output.tables)),
    ...output.tables.map(tableResult),
    ...(error === null ? [] : [{ id: 'error', resultType: 'ErrorOutput', error: reported(error) }]),
  ];
}

/** Counters are numbers here. */
function databaseResult(database: DatabaseProgress, all: readonly TableProgress[]): unknown {
  const tables = all.filter((table) => table.database === database.name);
  const applied = (change: RowChange) => tables.reduce((n, table) => n + table.applied[change], 0);
  const inState = (...states: TableState[]) =>
    tables.filter(({ state }) => states.includes(state)).length;
  const counters = {
    cdcInsertCounter: applied('insert'),
    cdcUpdateCounter: applied('update'),
    cdcDeleteCounter: applied('delete'),
  };
  return {
    id: `db|${database.name}`,
    resultType: 'DatabaseLevelOutput',
    databaseName: database.name,
    startedOn: database.startedOn,
    ...(database.endedOn !== null && { endedOn: database.endedOn }),
    migrationState: database.state,
    incomingChanges: database.incoming,
    appliedChanges:
      counters.cdcInsertCounter + counters.cdcUpdateCounter + counters.cdcDeleteCounter,
    ...counters,
    fullLoadCompletedTables: inState('COMPLETED'),
    fullLoadLoadingTables: inState('FULL_LOAD'),
    fullLoadQueuedTables: inState('BEFORE_LOAD'),
    fullLoadErroredTables: inState('ERROR', 'FAILED'),
    initializationCompleted: database.loaded,
    latency: database.latency,
  };
}

/** Counters of changes are strings here, the others numbers. */
function tableResult(progress: TableProgress): unknown {
  const { database, table, state, applied, rows, loadStartedOn, loadEndedOn, modifiedOn } =
    progress;
  return {
    id: `or|${database}|${table}`,
    resultType: 'TableLevelOutput',
    tableName: table,
    databaseName: database,
    cdcInsertCounter: String(applied.insert),
    cdcUpdateCounter: String(applied.update),
    cdcDeleteCounter: String(applied.delete),
    ...(loadStartedOn !== null && { fullLoadStartedOn: loadStartedOn }),
    ...(loadEndedOn !== null && {
      fullLoadEndedOn: loadEndedOn,
      fullLoadEstFinishTime: loadEndedOn,
    }),
    fullLoadTotalRows: rows,
    state,
    totalChangesApplied: applied.insert + applied.update + applied.delete,
    dataErrorsCounter: 0,
    ...(modifiedOn !== null && { lastModifiedTime: modifiedOn }),
  };
}
