import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { ReplicaStatus } from './replica-status.ts';

/** What a network, or a source that restarts, does to the receiver: it comes back. */
const transient = new Set([
  1040, 1053, 1129, 1158, 1159, 1160, 1161, 1203, 1226, 2002, 2003, 2005, 2006, 2012, 2013, 2026,
  2027, 4031, 13117,
]);
const refused = new Set([1044, 1045, 1142, 1227, 1820, 1862, 3118, 3955]);
/** The source cannot or will not send its binlog from there on. */
const unreadable = new Set([1236, 13114]);

/**
 * What to do about a receiver that does not run: `wait` (the server tries by itself) or `start` it again.
 * Throws what does not go away: ACCESS_DENIED, BINLOG_PURGED, STATEMENT_FAILED.
 */
export function judgeReceiver(status: ReplicaStatus): 'fine' | 'wait' | 'start' {
  const { receiver, receiverErrno: errno, applied } = status;
  if (receiver === 'running') return 'fine';
  if (refused.has(errno)) {
    throw new SkyferryFailure(
      'ACCESS_DENIED',
      `the source refuses the login of the replication account ${status.user} (error ${errno})`,
      {
        safe: 'the target is as of the last applied position',
        next: `on the source: see whether '${status.user}' exists and may log in from the target; then retry-phase`,
        errno,
      },
    );
  }
  if (receiver === 'connecting') return 'wait';
  if (errno === 0 || transient.has(errno)) return 'start';
  const at = applied === null ? 'its position' : `${applied.file}:${applied.offset}`;
  const purged = unreadable.has(errno);
  throw new SkyferryFailure(
    purged ? 'BINLOG_PURGED' : 'STATEMENT_FAILED',
    purged
      ? `the source does not send its binlog from ${at} on (error ${errno})`
      : `MySQL's replication cannot read from the source (error ${errno}, at ${at})`,
    {
      safe: 'the target is as of the last applied position',
      next: purged
        ? 'see SHOW BINARY LOGS on the source: if the file is gone, abort and begin anew'
        : 'see Last_IO_Error of SHOW REPLICA STATUS on the target, mend it, then retry-phase',
      errno,
    },
  );
}

/** By its transaction and error number; the text, which may hold values of rows, stays on the target. */
export async function stoppedApplier(
  target: Connection,
  status: ReplicaStatus,
): Promise<SkyferryFailure> {
  const worker = await readFailedWorker(target);
  const errno = worker?.errno ?? status.applierErrno;
  const gtid = worker?.gtid ?? status.failedGtid;
  const { applied } = status;
  const at = applied === null ? '' : ` after ${applied.file}:${applied.offset}`;
  const rows = errno === 1062 || errno === 1032;
  return new SkyferryFailure(
    rows ? 'ROWS_DIFFER' : 'STATEMENT_FAILED',
    `MySQL's replication stopped at transaction ${gtid ?? 'unknown'} (binlog${at}): error ${errno}${rows ? (errno === 1062 ? ', a row is there already' : ', a row is not there') : ''}`,
    {
      safe: 'nothing of this transaction was applied; the source takes writes as before',
      next: rows
        ? 'find out who writes to the target and put that row right; then retry-phase'
        : 'see performance_schema.replication_applier_status_by_worker on the target, mend it, then retry-phase',
      errno,
    },
  );
}

/** null: none, or this account may not look. */
async function readFailedWorker(
  target: Connection,
): Promise<{ errno: number; gtid: string | null } | null> {
  const rows = await target
    .query(
      `SELECT LAST_ERROR_NUMBER AS errno, APPLYING_TRANSACTION AS gtid
       FROM performance_schema.replication_applier_status_by_worker
       WHERE CHANNEL_NAME = '' AND LAST_ERROR_NUMBER <> 0
       ORDER BY LAST_ERROR_TIMESTAMP LIMIT 1`,
    )
    .catch(() => []);
  const [row] = rows;
  if (row === undefined) return null;
  const { gtid } = row;
  const known = typeof gtid === 'string' && gtid.includes(':');
  return { errno: Number(row['errno']), gtid: known ? gtid : null };
}

export function notOurs({ host, port }: ReplicaStatus): SkyferryFailure {
  return new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `the target replicates from ${host}:${port}, which this migration did not set up`,
    {
      safe: 'it was left as it is',
      next: 'remove that replication if nobody needs it (STOP REPLICA; RESET REPLICA ALL), then retry-phase',
    },
  );
}
