import { readCatalog } from '../mysql/catalog/read.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { spelledOn } from '../mysql/identifier.ts';
import { readLowerCaseTableNames } from '../mysql/server-facts.ts';
import { dropMigratedTables } from './drop-migrated-tables.ts';

/**
 * Drops everything that the schemas hold on the target, also what the source has not any more; the schemas
 * stay. Only for schemas that preflight has found empty. Returns how many tables there were.
 */
export async function emptySchemas(
  target: Endpoint,
  schemas: readonly string[],
  {
    signal,
    begin,
  }: {
    readonly signal: AbortSignal;
    /** In the session that drops, before it does. */
    readonly begin?: (connection: Connection) => Promise<void>;
  },
): Promise<number> {
  return await withConnection(target, { signal }, async (connection) => {
    const lctn = await readLowerCaseTableNames(connection);
    const spelled = schemas.map((schema) => spelledOn({ schema, name: 'x' }, lctn).schema);
    const there = await existing(connection, spelled);
    if (there.length === 0) return 0;
    const catalog = await readCatalog(connection, there);
    await dropMigratedTables(target, catalog, lctn, begin);
    return catalog.tables.length;
  });
}

async function existing(connection: Connection, schemas: readonly string[]): Promise<string[]> {
  const rows = await connection.query(
    `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA
     WHERE SCHEMA_NAME IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  return rows.map(({ name }) => String(name));
}
