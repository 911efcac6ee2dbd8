import type { Connection } from './connection.ts';

const counters = ['Innodb_rows_inserted', 'Innodb_rows_updated', 'Innodb_rows_deleted'];

/**
 * Row changes a second of the whole server, on average since it was started; null where its counters
 * cannot be read. Nothing but a hint for estimates: peaks are higher.
 */
export async function readChangesPerSecond(connection: Connection): Promise<number | null> {
  const rows = await connection.query<{ Variable_name: string; Value: string }>(
    `SHOW GLOBAL STATUS WHERE Variable_name IN (${[...counters, 'Uptime'].map((name) => `'${name}'`).join(', ')})`,
  );
  const values = new Map(rows.map((row) => [row.Variable_name, Number(row.Value)]));
  const uptime = values.get('Uptime') ?? 0;
  if (uptime === 0 || counters.some((name) => !values.has(name))) return null;
  return counters.reduce((sum, name) => sum + (values.get(name) ?? 0), 0) / uptime;
}
