import { isFailure } from '../failures.ts';
import type { Connection, Row } from './connection.ts';

/** How long a server keeps its binlog: by RDS's own setting where it has one, else by the variable. */
export type Retention =
  /** null: not set, files go as soon as RDS needs them no more. */
  | { readonly kind: 'rds'; readonly hours: number | null }
  /** 0: for ever. */
  | { readonly kind: 'variable'; readonly seconds: number };

/** What RDS takes at most, and Aurora. */
export const LONGEST_RDS_RETENTION_HOURS = 168;
export const LONGEST_AURORA_RETENTION_HOURS = 2160;

const NO_SUCH_ROUTINE = 1305;
const EXECUTE_DENIED = 1370;

/** A server without the RDS procedures, or an account without EXECUTE on them, answers by the variable. */
export async function readRetention(connection: Connection): Promise<Retention> {
  try {
    // A CALL answers with its rows and then with an OK: the driver gives both, the rows first.
    const answer: unknown[] = await connection.query('CALL mysql.rds_show_configuration');
    const rows = (Array.isArray(answer[0]) ? answer[0] : answer) as Row[];
    const row = rows.find(({ name }) => name === 'binlog retention hours');
    const value = row?.['value'] ?? null;
    return { kind: 'rds', hours: value === null ? null : Number(value) };
  } catch (error) {
    const { errno } = isFailure(error) ? error.detail : {};
    if (errno !== NO_SUCH_ROUTINE && errno !== EXECUTE_DENIED) throw error;
  }
  const [row] = await connection.query<{ s: number | string }>(
    'SELECT @@GLOBAL.binlog_expire_logs_seconds AS s',
  );
  return { kind: 'variable', seconds: Number(row?.s ?? 0) };
}

/** Needs EXECUTE on the procedure. null: not set. */
export async function setRdsRetention(connection: Connection, hours: number | null): Promise<void> {
  await connection.execute("CALL mysql.rds_set_configuration('binlog retention hours', ?)", [
    hours,
  ]);
}
