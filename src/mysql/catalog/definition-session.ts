import type { Connection } from '../connection.ts';
import { text } from './text.ts';

/**
 * Runs `read` in a session in which SHOW CREATE prints definitions that mean the same everywhere
 * (identifiers in backticks, TIMESTAMP defaults in UTC) and estimates are fresh; puts it back after.
 */
export async function inDefinitionSession<T>(
  connection: Connection,
  read: () => Promise<T>,
): Promise<T> {
  const [former] = await connection.query(
    `SELECT @@SESSION.sql_mode AS sqlMode, @@SESSION.time_zone AS timeZone,
            @@SESSION.sql_quote_show_create AS quotes, @@SESSION.information_schema_stats_expiry AS expiry`,
  );
  const set = (sqlMode: string, timeZone: string, quotes: number, expiry: number) =>
    connection.execute(
      `SET SESSION sql_mode = ?, time_zone = ?, sql_quote_show_create = ?, information_schema_stats_expiry = ?`,
      [sqlMode, timeZone, quotes, expiry],
    );
  await set('', '+00:00', 1, 0);
  try {
    return await read();
  } finally {
    await set(
      text(former?.['sqlMode']),
      text(former?.['timeZone']),
      Number(former?.['quotes']),
      Number(former?.['expiry']),
    );
  }
}
