import type { Raw } from './raw.ts';
import { countOf, listOf, rawOf, textOf } from './raw.ts';

export interface Reported {
  /** Empty where the service gives none. */
  readonly code: string;
  readonly message: string;
}

/** How far a migration is, database by database and table by table, as the service counts. */
export interface SyncView {
  readonly databases: readonly DatabaseView[];
  readonly tables: readonly TableView[];
  readonly errors: readonly (Reported & { readonly database?: string })[];
}

export interface DatabaseView {
  readonly name: string;
  readonly state: string;
  /** Changes read from the source, and those that were applied. */
  readonly incoming: number;
  readonly applied: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  /** The full load is completed. */
  readonly loaded: boolean;
  /** As the service gives it: its specification names no unit. */
  readonly latency: number | null;
  readonly tables: {
    readonly completed: number;
    readonly loading: number;
    readonly queued: number;
    readonly errored: number;
  };
}

export interface TableView {
  readonly database: string;
  readonly table: string;
  readonly state: string;
  /** Of the full load. */
  readonly rows: number;
  /** Changes after it. */
  readonly applied: number;
  readonly dataErrors: number;
}

export function toSyncView(results: readonly Raw[]): SyncView {
  const of = (type: string) => results.filter(({ resultType }) => resultType === type);
  return {
    databases: of('DatabaseLevelOutput').map(toDatabase),
    tables: of('TableLevelOutput').map(toTable),
    errors: [
      ...of('ErrorOutput').map(({ error }) => toReported(error)),
      ...of('DatabaseLevelErrorOutput').map(toDatabaseError),
    ],
  };
}

function toDatabase(result: Raw): DatabaseView {
  return {
    name: textOf(result['databaseName']),
    state: textOf(result['migrationState']),
    incoming: countOf(result['incomingChanges']),
    applied: countOf(result['appliedChanges']),
    inserts: countOf(result['cdcInsertCounter']),
    updates: countOf(result['cdcUpdateCounter']),
    deletes: countOf(result['cdcDeleteCounter']),
    loaded: result['initializationCompleted'] === true,
    latency: result['latency'] === undefined ? null : countOf(result['latency']),
    tables: {
      completed: countOf(result['fullLoadCompletedTables']),
      loading: countOf(result['fullLoadLoadingTables']),
      queued: countOf(result['fullLoadQueuedTables']),
      errored: countOf(result['fullLoadErroredTables']),
    },
  };
}

function toTable(result: Raw): TableView {
  return {
    database: textOf(result['databaseName']),
    table: textOf(result['tableName']),
    state: textOf(result['state']),
    rows: countOf(result['fullLoadTotalRows']),
    applied: countOf(result['totalChangesApplied']),
    dataErrors: countOf(result['dataErrorsCounter']),
  };
}

function toDatabaseError(result: Raw): SyncView['errors'][number] {
  const events = listOf(result['events']).map(({ eventText }) => textOf(eventText));
  const message = [textOf(result['errorMessage']), ...events].filter((text) => text !== '');
  const database = /^db\|([^|]+)/.exec(textOf(result['id']))?.[1];
  return {
    ...toReported({ message: message.join('; ') }),
    ...(database !== undefined && { database }),
  };
}

/** A `ReportableException` has no member for its code: it stands before its text, if there is one. */
export function toReported(exception: unknown): Reported {
  const message = textOf(rawOf(exception)['message']);
  const [, code, rest] = /^([A-Za-z]\w+): (.*)$/s.exec(message) ?? [];
  return code === undefined ? { code: '', message } : { code, message: rest ?? '' };
}
