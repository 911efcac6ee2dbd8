import { SkyferryFailure } from '../failures.ts';
import type { Connection, Row } from '../mysql/connection.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import { noCheckpoint, toDatetime, toFilePosition, touched } from './store.ts';

/** Who may write: the holder of a migration's epoch. A later holder silences every earlier one. */
export interface Holder {
  readonly name: string;
  readonly epoch: bigint;
}

export interface Progress {
  readonly position: Position;
  /** ISO 8601 UTC. */
  readonly sourceTime: string | null;
  readonly lagMs: number | null;
  /** Added to the counters. */
  readonly transactions: number;
  readonly rowChanges: number;
}

/** Silences every earlier holder: none of their transactions can commit once this has returned. */
export async function acquireEpoch(target: Connection, name: string): Promise<bigint> {
  const epoch = await raiseEpoch(target, name, 'TRUE');
  if (epoch === null) throw noCheckpoint(name);
  return epoch;
}

/**
 * Written before the first switch, and taken back with it: from there on the target takes writes of its
 * own, over which no change of the source may be applied.
 */
const switchBegun = `JSON_EXTRACT(remembered, '$.cutover.targetPosition') IS NOT NULL`;

/** For who applies changes; null: the switch has begun, so nobody may. */
export async function acquireEpochToApply(
  target: Connection,
  name: string,
): Promise<bigint | null> {
  const epoch = await raiseEpoch(target, name, `NOT (${switchBegun})`);
  if (epoch === null && !(await hasSwitchBegun(target, name))) throw noCheckpoint(name);
  return epoch;
}

export async function hasSwitchBegun(target: Connection, name: string): Promise<boolean> {
  const rows = await target.query(
    `SELECT 1 FROM skyferry.migration WHERE name = ? AND ${switchBegun}`,
    [name],
  );
  return rows.length > 0;
}

async function raiseEpoch(target: Connection, name: string, when: string): Promise<bigint | null> {
  const { affectedRows } = await target.execute(
    `UPDATE skyferry.migration SET epoch = LAST_INSERT_ID(epoch + 1), ${touched}
      WHERE name = ? AND ${when}`,
    [name],
  );
  if (affectedRows === 0) return null;
  const [row] = await target.query('SELECT LAST_INSERT_ID() AS epoch');
  return BigInt(String(row?.['epoch']));
}

/** The last statement of an apply transaction. EPOCH_LOST: roll back and stop. */
export async function updateCheckpoint(
  target: Connection,
  holder: Holder,
  progress: Progress,
): Promise<void> {
  const { position } = progress;
  const { affectedRows } = await target.execute(
    `UPDATE skyferry.migration
     SET gtid_set = ?, binlog_file = ?, binlog_offset = ?,
         source_time = COALESCE(?, source_time), lag_ms = COALESCE(?, lag_ms),
         transactions = transactions + ?, row_changes = row_changes + ?, ${touched}
     WHERE name = ? AND epoch = ?`,
    [
      position.gtidSet,
      position.file,
      position.offset,
      progress.sourceTime === null ? null : toDatetime(progress.sourceTime),
      progress.lagMs === null ? null : Math.round(progress.lagMs),
      progress.transactions,
      progress.rowChanges,
      holder.name,
      String(holder.epoch),
    ],
  );
  if (affectedRows === 0) throw epochLost(holder);
}

/**
 * Inside a chunk's transaction, as its last statement: fails with EPOCH_LOST when another took over, and
 * raises the highest watermark. The row stays locked until the commit, so the check holds until then.
 */
export async function raiseHigh(
  target: Connection,
  holder: Holder,
  high: FilePosition,
): Promise<void> {
  const row = await lockEpoch(target, holder);
  const former = toFilePosition(row['high_file'], row['high_offset']);
  if (former !== null && compareFilePositions(former, high) >= 0) return;
  await target.execute(
    `UPDATE skyferry.migration SET high_file = ?, high_offset = ?, ${touched} WHERE name = ?`,
    [high.file, high.offset, holder.name],
  );
}

/** For other writes under the epoch: locks the row until the transaction ends. */
export async function assertEpoch(target: Connection, holder: Holder): Promise<void> {
  await lockEpoch(target, holder);
}

async function lockEpoch(target: Connection, holder: Holder): Promise<Row> {
  const [row] = await target.query(
    'SELECT high_file, high_offset FROM skyferry.migration WHERE name = ? AND epoch = ? FOR UPDATE',
    [holder.name, String(holder.epoch)],
  );
  if (row === undefined) throw epochLost(holder);
  return row;
}

export function epochLost(holder: Holder): SkyferryFailure {
  return new SkyferryFailure(
    'EPOCH_LOST',
    `another worker took over migration ${holder.name} (epoch ${holder.epoch} is no longer the last)`,
    { safe: 'what this worker had not committed was rolled back; the other goes on' },
  );
}
