import type { Catalog, Table } from '../../../../../mysql/catalog/types.ts';
import { readCatalog } from '../../../../../mysql/catalog/read.ts';
import { withConnection } from '../../../../../mysql/connection.ts';
import { displayName, spelledOn } from '../../../../../mysql/identifier.ts';
import type { CloudContext } from '../../../service.ts';
import { sourceProblems, targetProblems } from '../connect-tasks.ts';
import type { ServerFacts } from '../endpoint.ts';
import { endpointOf, readFacts } from '../endpoint.ts';
import type { SyncInput } from '../schemas.ts';
import { TaskEnd } from '../task-end.ts';
import type { Ends } from './full-load.ts';

export interface Selection extends Ends {
  readonly catalog: Catalog;
  readonly tables: readonly Table[];
  readonly versions: { readonly source: string; readonly target: string };
}

/**
 * Looks at both servers and at what is to move between them.
 * @throws TaskEnd FailedInputValidation for what the service cannot migrate
 */
export async function select(
  context: CloudContext,
  input: SyncInput,
  signal: AbortSignal,
): Promise<Selection> {
  const databases = databaseNames(input);
  const source = await endpointOf(context, input.sourceConnectionInfo);
  const target = await endpointOf(context, input.targetConnectionInfo);
  const sourceFacts = await readFacts(source, signal);
  const targetFacts = await readFacts(target, signal);
  for (const { code, message } of [
    ...sourceProblems(sourceFacts),
    ...targetProblems(targetFacts),
  ]) {
    throw invalid(code, message);
  }
  if (admitsZeroDates(sourceFacts) !== admitsZeroDates(targetFacts)) {
    throw invalid('SqlModeMismatch', 'NO_ZERO_DATE is set on one of the servers only.');
  }
  for (const name of databases) {
    if (!sourceFacts.databases.includes(name)) {
      throw invalid('DatabaseNotFound', `The source has no database '${name}'.`);
    }
    if (!targetFacts.databases.includes(name)) {
      throw invalid('DatabaseNotFound', `The target has no database '${name}'.`);
    }
  }
  const catalog = await withConnection(source, { signal }, (connection) =>
    readCatalog(connection, databases),
  );
  const lctn = Number(targetFacts.globals['lower_case_table_names']);
  const ends = { source, target, lctn, signal };
  const tables = catalog.tables.filter(({ name }) => isMapped(input, name));
  await refuseMissing(ends, databases, tables);
  const versions = { source: sourceFacts.version, target: targetFacts.version };
  return { ...ends, catalog, tables, versions };
}

export function databaseNames({ selectedDatabases }: SyncInput): string[] {
  return selectedDatabases.map(({ name = '', targetDatabaseName = name }) => {
    if (name !== name.toLowerCase() || targetDatabaseName !== targetDatabaseName.toLowerCase()) {
      throw invalid('MixedCaseName', `The database name '${name}' is not in lower case.`);
    }
    if (targetDatabaseName !== name) {
      throw invalid('RenameNotSupported', `The database '${name}' cannot be renamed.`);
    }
    return name;
  });
}

function admitsZeroDates({ globals }: ServerFacts): boolean {
  return !(globals['sql_mode'] ?? '').split(',').includes('NO_ZERO_DATE');
}

/** Without a map all tables of a database move. */
function isMapped({ selectedDatabases }: SyncInput, { schema, name }: Table['name']): boolean {
  const { tableMap } = selectedDatabases.find((database) => database.name === schema) ?? {};
  if (tableMap === undefined) return true;
  return Object.hasOwn(tableMap, name) || Object.hasOwn(tableMap, `${schema}.${name}`);
}

/** Data alone is migrated: the tables are there already. */
async function refuseMissing(
  { target, lctn, signal }: Ends,
  databases: readonly string[],
  tables: readonly Table[],
): Promise<void> {
  const rows = await withConnection(target, { signal }, (connection) =>
    connection.query(
      `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA IN (${databases.map(() => '?').join(', ')})`,
      databases,
    ),
  );
  const there = new Set(
    rows.map(({ s, t }) => displayName({ schema: String(s), name: String(t) })),
  );
  const missing = tables.find(({ name }) => !there.has(displayName(spelledOn(name, lctn))));
  if (missing === undefined) return;
  const name = displayName(missing.name);
  throw invalid('TableNotFound', `The table ${name} does not exist on the target.`);
}

function invalid(code: string, message: string): TaskEnd {
  return new TaskEnd('FailedInputValidation', code, message);
}
