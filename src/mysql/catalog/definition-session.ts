import type { Connection } from '../connection.ts';
import { text } from './text.ts';

const SHOW_GENERATED_KEY = 'show_gipk_in_create_table_and_information_schema';

/**
 * Runs `read` in a session in which SHOW CREATE prints definitions that mean the same everywhere
 * (identifiers in backticks, TIMESTAMP defaults in UTC, generated keys shown) and estimates are fresh; puts
 * it back after.
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
  // Hidden, a generated key is in the binlog's rows all the same. Servers before 8.0.30 generate none.
  const [hidden] = await connection.query(
    `SHOW SESSION VARIABLES WHERE Variable_name = '${SHOW_GENERATED_KEY}' AND Value = 'OFF'`,
  );
  const showKeys = async (value: 'ON' | 'OFF') => {
    if (hidden === undefined) return;
    await connection.execute(`SET SESSION ${SHOW_GENERATED_KEY} = ${value}`);
  };
  await set('', '+00:00', 1, 0);
  await showKeys('ON');
  try {
    return await read();
  } finally {
    await showKeys('OFF');
    await set(
      text(former?.['sqlMode']),
      text(former?.['timeZone']),
      Number(former?.['quotes']),
      Number(former?.['expiry']),
    );
  }
}
