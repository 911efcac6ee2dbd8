import { isFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';

/** Hours that a managed source keeps its binlog during a migration: a week of waiting for a window. */
export const RETENTION_HOURS = 168;

/**
 * RDS drops binlog files as soon as it may unless told otherwise. Returns the hours that are set (null:
 * none), or undefined where the source has no such setting or this account may not read it.
 */
export async function readRetentionHours(source: Connection): Promise<number | null | undefined> {
  const answer: unknown[] | null = await source
    .query('CALL mysql.rds_show_configuration')
    .catch((error: unknown) => {
      if (isFailure(error) && NOT_MANAGED.has(error.detail.errno ?? 0)) return null;
      throw error;
    });
  if (answer === null) return undefined;
  // A CALL answers with its rows and then with an OK: the driver gives both, the rows first.
  const rows = (Array.isArray(answer[0]) ? answer[0] : answer) as Record<string, unknown>[];
  const row = rows.find(({ name }) => name === 'binlog retention hours');
  if (row === undefined) return undefined;
  return row['value'] === null || row['value'] === undefined ? null : Number(row['value']);
}

export async function setRetentionHours(source: Connection, hours: number | null): Promise<void> {
  await source.query("CALL mysql.rds_set_configuration('binlog retention hours', ?)", [hours]);
}

/** No such procedure, or no right to call it: then preflight has said whether that will do. */
const NOT_MANAGED = new Set([1305, 1370, 1044, 1142, 1046, 1049]);
