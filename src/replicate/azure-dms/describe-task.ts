import type { TaskView } from '../../clouds/azure/data-migration/task-view.ts';

const MOST_DATABASES = 5;

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
