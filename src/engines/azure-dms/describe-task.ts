import type { SyncView, TaskView } from '../../clouds/azure/data-migration/task-view.ts';

const MOST_DATABASES = 5;
/** In the report: it keeps a number of lines. */
const MOST_COUNTED = 50;

/** One line for people. What DMS calls latency has no unit in its documentation, so it is given none. */
export function describeTask(task: string, { state, sync }: TaskView): string {
  if (sync === null) return `Azure DMS: ${task} ${state}`;
  const databases = sync.databases
    .slice(0, MOST_DATABASES)
    .map(
      ({ name, state: how, incoming, applied, latency }) =>
        `${name} ${how}, ${applied} of ${incoming} changes applied${latency === null ? '' : `, latency ${latency} as DMS gives it`}`,
    );
  const more = sync.databases.length - databases.length;
  const dataErrors = sync.tables.reduce((n, table) => n + table.dataErrors, 0);
  return [
    `Azure DMS: ${task} ${state}`,
    ...databases,
    ...(more > 0 ? [`${more} more databases`] : []),
    ...(dataErrors > 0 ? [`${dataErrors} DATA ERRORS`] : []),
    ...sync.errors.slice(0, 1).map(({ code }) => `says ${code}`),
  ].join('; ');
}

/** What it has counted in all, for the report: one line a database. */
export function describeCounters({ sync }: TaskView): string[] {
  if (sync === null) return [];
  const { databases, tables } = sync;
  const more = databases.length - MOST_COUNTED;
  return [
    ...databases.slice(0, MOST_COUNTED).map((database) => describeDatabase(database, tables)),
    ...(more > 0 ? [`Azure DMS: ${more} more databases`] : []),
  ];
}

function describeDatabase(
  { name, state, incoming, applied, inserts, updates, deletes, latency }: Database,
  tables: SyncView['tables'],
): string {
  const own = tables.filter(({ database }) => database === name);
  const sum = (of: (table: Table) => number) => own.reduce((n, table) => n + of(table), 0);
  return [
    `Azure DMS, ${name} (${state}): loaded ${sum(({ rows }) => rows)} rows (tables: ${own.length})`,
    `applied ${applied} of ${incoming} changes (${inserts} inserts, ${updates} updates, ${deletes} deletes)`,
    `${sum(({ dataErrors }) => dataErrors)} data errors`,
    ...(latency === null ? [] : [`latency ${latency} as DMS gives it`]),
  ].join('; ');
}

type Database = SyncView['databases'][number];
type Table = SyncView['tables'][number];
