import type { Connection } from '../mysql/connection.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { killSession } from '../mysql/kill-session.ts';

/**
 * Definitions of the source are valid under these, whatever the target's own settings: zero dates as
 * defaults, no key added to a table that has none, foreign keys in any order and to non-unique keys.
 */
const settings: Readonly<Record<string, string | number>> = {
  sql_mode: 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION',
  time_zone: '+00:00',
  foreign_key_checks: 0,
  sql_quote_show_create: 1,
  explicit_defaults_for_timestamp: 1,
  sql_generate_invisible_primary_key: 0,
  sql_require_primary_key: 0,
  show_gipk_in_create_table_and_information_schema: 1,
  restrict_fk_on_non_standard_key: 0,
  information_schema_stats_expiry: 0,
  max_execution_time: 0,
  lock_wait_timeout: 300,
};

/**
 * Runs in a session for definitions on the target. An abort also kills the statement on the server:
 * an ALTER would otherwise go on for hours after its client has gone.
 */
export async function inTargetSession<T>(
  target: Endpoint,
  signal: AbortSignal | undefined,
  run: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await openConnection(target, signal === undefined ? {} : { signal });
  let killed: Promise<void> | undefined;
  const kill = () => {
    killed = killSession(target, connection.threadId);
  };
  signal?.addEventListener('abort', kill, { once: true });
  try {
    await applySettings(connection);
    return await run(connection);
  } finally {
    signal?.removeEventListener('abort', kill);
    await killed;
    await connection.close();
  }
}

/** Some of the variables may be set by few accounts only: what already fits is left alone. */
async function applySettings(connection: Connection): Promise<void> {
  const names = Object.keys(settings);
  const rows = await connection.query<{ Variable_name: string; Value: string }>(
    `SHOW SESSION VARIABLES WHERE Variable_name IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  for (const { Variable_name: name, Value: now } of rows) {
    const wanted = settings[name];
    if (wanted === undefined || now === String(wanted)) continue;
    if ((wanted === 0 && now === 'OFF') || (wanted === 1 && now === 'ON')) continue;
    await connection.execute(`SET SESSION ${name} = ?`, [wanted]);
  }
}
