import type { Connection } from '../connection.ts';
import { SkyferryFailure } from '../../failures.ts';
import { byKey, text } from './text.ts';
import type { Schema } from './types.ts';

/** Fails with CONFIG_INVALID, naming every schema that is not there (or not visible to the account). */
export async function readSchemas(
  connection: Connection,
  names: readonly string[],
): Promise<Schema[]> {
  const rows = await connection.query(
    `SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
       FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  const schemas = rows.map((row) => ({
    name: text(row['name']),
    charset: text(row['charset']),
    collation: text(row['collation']),
  }));
  const missing = names.filter((name) => !schemas.some((schema) => schema.name === name));
  if (missing.length > 0) {
    throw new SkyferryFailure(
      'CONFIG_INVALID',
      `no such schema, or no privilege on it: ${missing.join(', ')}`,
      {
        safe: 'nothing was changed',
        next: 'check `schemas` in the configuration and GRANT SELECT ON the schema',
      },
    );
  }
  return schemas.sort(byKey((schema) => schema.name));
}
