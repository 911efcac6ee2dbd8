import type { Connection } from './connection.ts';
import { quoteAccount } from './identifier.ts';

/** 0, 1 or 2: how this server spells the names of schemas and tables. */
export async function readLowerCaseTableNames(connection: Connection): Promise<number> {
  const [row] = await connection.query('SELECT @@GLOBAL.lower_case_table_names AS value');
  return Number(row?.['value'] ?? 0);
}

/** Who this session is, as GRANT names the account: its host need not be `%`. */
export async function readAccount(connection: Connection): Promise<string> {
  const [row] = await connection.query('SELECT CURRENT_USER() AS value');
  return quoteAccount(String(row?.['value']));
}

/** Tells one server from another, also from its own replica. */
export async function readServerUuid(connection: Connection): Promise<string> {
  const [row] = await connection.query('SELECT @@GLOBAL.server_uuid AS value');
  return String(row?.['value']);
}
