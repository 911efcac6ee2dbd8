import type { Connection } from '../connection.ts';

const variables = [
  'sql_mode',
  'time_zone',
  'sql_quote_show_create',
  'information_schema_stats_expiry',
] as const;

/**
 * Runs `read` in a session in which SHOW CREATE prints definitions that mean the same everywhere
 * (identifiers in backticks, TIMESTAMP defaults in UTC) and estimates are fresh; puts it back after.
 */
export async function inDefinitionSession<T>(
  connection: Connection,
  read: () => Promise<T>,
): Promise<T> {
  const select = variables.map((name) => `@@SESSION.${name} AS ${name}`).join(', ');
  const [former] = await connection.query<Record<string, string | number>>(`SELECT ${select}`);
  await connection.execute(
    "SET SESSION sql_mode = '', time_zone = '+00:00', sql_quote_show_create = 1, information_schema_stats_expiry = 0",
  );
  try {
    return await read();
  } finally {
    await connection.execute(
      `SET SESSION ${variables.map((name) => `${name} = ?`).join(', ')}`,
      variables.map((name) => former?.[name] ?? null),
    );
  }
}
