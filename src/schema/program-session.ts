import type { Routine, ScheduledEvent, Trigger, View } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { quoteIdentifier } from '../mysql/identifier.ts';

const PLAIN_MODE = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION';
const UTF8 = new Set(['utf8', 'utf8mb3', 'utf8mb4']);

/** A view keeps no sql_mode: its text means the same under any. */
export type StoredObject = View | Routine | Trigger | ScheduledEvent;

/**
 * Runs `create` in a session like the one in which the program was created on the source: MySQL stores
 * sql_mode, charsets, collations and time zone with it and gives it back when the program runs.
 */
export async function inProgramSession<T>(
  connection: Connection,
  program: StoredObject,
  create: () => Promise<T>,
): Promise<T> {
  const schema = quoteIdentifier(program.name.schema);
  await connection.execute(`USE ${schema}`);
  const schemaCollation = await overrideSchemaCollation(connection, program);
  try {
    if ('sqlMode' in program) await set(connection, 'sql_mode', program.sqlMode);
    if ('timeZone' in program) await set(connection, 'time_zone', program.timeZone);
    await set(connection, 'collation_connection', program.collationConnection);
    await set(connection, 'character_set_client', clientCharset(program));
    return await create();
  } finally {
    await connection.execute('SET NAMES utf8mb4 COLLATE utf8mb4_bin');
    await set(connection, 'sql_mode', PLAIN_MODE);
    await set(connection, 'time_zone', '+00:00');
    if (schemaCollation !== null) {
      await connection.execute(`ALTER DATABASE ${schema} COLLATE ${schemaCollation}`);
    }
  }
}

/**
 * The charset says only how the bytes of the statement are to be read; literals take the connection's.
 * Text beyond ASCII is sent as UTF-8, so it is declared as that.
 */
function clientCharset({ characterSetClient, createStatement }: StoredObject): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant
  const ascii = /^[\x00-\x7f]*$/.test(createStatement);
  return ascii || UTF8.has(characterSetClient) ? characterSetClient : 'utf8mb4';
}

/**
 * A routine's own strings have the collation that its schema had when it was created. Where the schema
 * has another by now, it gets the former one for a moment; `createSchemas` repairs it after a kill.
 */
async function overrideSchemaCollation(
  connection: Connection,
  program: StoredObject,
): Promise<string | null> {
  if (!('databaseCollation' in program) || program.databaseCollation === '') return null;
  const [row] = await connection.query<{ now: string }>('SELECT @@collation_database AS now');
  if (row === undefined || row.now === program.databaseCollation) return null;
  await connection.execute(
    `ALTER DATABASE ${quoteIdentifier(program.name.schema)} COLLATE ${program.databaseCollation}`,
  );
  return row.now;
}

async function set(connection: Connection, variable: string, value: string): Promise<void> {
  await connection.execute(`SET SESSION ${variable} = ?`, [value]);
}
