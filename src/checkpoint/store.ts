import { SkyferryFailure, isFailure } from '../failures.ts';
import type { Connection, Row } from '../mysql/connection.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import { CHECKPOINT_SCHEMA, checkpointTables } from './schema.ts';

/** A migration's row on the target. Times are ISO 8601 UTC with microseconds. */
export interface Checkpoint {
  readonly name: string;
  readonly configHash: string;
  readonly planHash: string | null;
  readonly catalogHash: string | null;
  readonly workflowRun: string;
  readonly state: 'active' | 'switched' | 'completed';
  readonly epoch: bigint;
  readonly sourceUuid: string;
  /** Everything in it is applied; null until provisioning has set it. */
  readonly position: Position | null;
  /** Highest watermark of a copied chunk: the copied rows are exact once `position` has reached it. */
  readonly high: FilePosition | null;
  /** Up to this time of the source everything is applied. */
  readonly sourceTime: string | null;
  readonly lagMs: number | null;
  readonly transactions: number;
  readonly rowChanges: number;
  readonly remembered: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly updatedAt: string;
}

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

/** Makes the checkpoint's schema where it is missing. */
export async function createCheckpointSchema(target: Connection): Promise<void> {
  await target.query(`CREATE DATABASE IF NOT EXISTS ${CHECKPOINT_SCHEMA} CHARACTER SET utf8mb4`);
  for (const statement of checkpointTables) await target.query(statement);
}

/**
 * Takes a migration's name on the target. An active checkpoint of the same configuration and source
 * is resumed, unless its consumers have begun to be switched; anything else of that name is refused
 * with MIGRATION_CONFLICT.
 */
export async function createCheckpoint(
  target: Connection,
  row: { name: string; configHash: string; workflowRun: string; sourceUuid: string },
): Promise<'created' | 'resumed'> {
  await createCheckpointSchema(target);
  try {
    await target.execute(
      `INSERT INTO skyferry.migration
         (name, config_hash, workflow_run, source_uuid, created_at, updated_at)
       VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))`,
      [row.name, row.configHash, row.workflowRun, row.sourceUuid],
    );
    return 'created';
  } catch (error) {
    if (!isFailure(error) || error.detail.errno !== DUPLICATE_KEY) throw error;
  }
  const existing = await requireCheckpoint(target, row.name);
  refuseConflict(existing, row);
  await target.execute(
    `UPDATE skyferry.migration SET workflow_run = ?, ${touched} WHERE name = ? AND state = 'active'`,
    [row.workflowRun, row.name],
  );
  return 'resumed';
}

const DUPLICATE_KEY = 1062;

function refuseConflict(
  existing: Checkpoint,
  row: { name: string; configHash: string; sourceUuid: string },
): void {
  const conflict = (why: string, next: string) =>
    new SkyferryFailure('MIGRATION_CONFLICT', `migration ${row.name} ${why}`, {
      safe: 'nothing was changed on source or target',
      next,
    });
  if (existing.state !== 'active') {
    throw conflict(
      existing.state === 'completed' ? 'is already completed' : 'has already switched',
      'choose another name for a new migration',
    );
  }
  if (existing.configHash !== row.configHash) {
    throw conflict(
      'was started with another configuration',
      'start it with the former configuration, or abort it first',
    );
  }
  const begun = begunSwitches(existing);
  if (begun !== null) {
    throw new SkyferryFailure(
      'MIGRATION_CONFLICT',
      `migration ${row.name} was stopped while its consumers were being switched (${begun})`,
      {
        safe: 'nothing was changed by this start; the target may have taken writes, and the source should be fenced still',
        next: [
          'it is not carried on by another start: finish it by hand. Keep super_read_only = ON on the source, point every endpoint at the target, and enable the events there',
          'Only when the target took no writes it can be given up instead: put every endpoint back, set read_only and super_read_only on the source back, drop the copied schemas on the target and its row in skyferry.migration, and start again',
        ].join('. '),
      },
    );
  }
  if (existing.sourceUuid !== row.sourceUuid) {
    throw conflict(
      'was started from another source server (its server_uuid differs)',
      'abort it and start again: binlog files of two servers cannot be compared',
    );
  }
}

/** What the cutover wrote down before it switched the first endpoint; null: it has switched none. */
function begunSwitches({ remembered }: Checkpoint): string | null {
  const { switching, switchedAt } = toObject(remembered['cutover']);
  const known = Object.entries(toObject(switching)).map(
    ([consumer, progress]) => `${consumer}: ${String(progress)}`,
  );
  if (known.length > 0) return known.join(', ');
  return switchedAt === undefined ? null : 'all of them';
}

/** null: no such migration, or no checkpoint schema at all. */
export async function readCheckpoint(target: Connection, name: string): Promise<Checkpoint | null> {
  try {
    const [row] = await target.query('SELECT * FROM skyferry.migration WHERE name = ?', [name]);
    return row === undefined ? null : toCheckpoint(row);
  } catch (error) {
    if (isFailure(error) && NOT_THERE.has(error.detail.errno ?? 0)) return null;
    throw error;
  }
}

/** Unknown database, unknown table. */
const NOT_THERE = new Set([1049, 1146]);

export async function requireCheckpoint(target: Connection, name: string): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(target, name);
  if (checkpoint === null) throw noCheckpoint(name);
  return checkpoint;
}

function noCheckpoint(name: string): SkyferryFailure {
  return new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `the target holds no checkpoint of migration ${name}`,
    { safe: 'nothing was changed', next: 'start the migration' },
  );
}

/** Silences every earlier holder: none of their transactions can commit once this has returned. */
export async function acquireEpoch(target: Connection, name: string): Promise<bigint> {
  const { affectedRows } = await target.execute(
    `UPDATE skyferry.migration SET epoch = LAST_INSERT_ID(epoch + 1), ${touched} WHERE name = ?`,
    [name],
  );
  if (affectedRows === 0) throw noCheckpoint(name);
  const [row] = await target.query('SELECT LAST_INSERT_ID() AS epoch');
  return BigInt(String(row?.['epoch']));
}

/** Only when none is set yet: a repeated call keeps the first position, because chunks rest on it. */
export async function setStartPosition(
  target: Connection,
  name: string,
  position: Position,
): Promise<void> {
  await target.execute(
    `UPDATE skyferry.migration SET gtid_set = ?, binlog_file = ?, binlog_offset = ?, ${touched}
     WHERE name = ? AND gtid_set IS NULL`,
    [position.gtidSet, position.file, position.offset, name],
  );
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

export async function recordHashes(
  target: Connection,
  name: string,
  hashes: { planHash?: string; catalogHash?: string },
): Promise<void> {
  await change(
    target,
    name,
    'plan_hash = COALESCE(?, plan_hash), catalog_hash = COALESCE(?, catalog_hash)',
    [hashes.planHash ?? null, hashes.catalogHash ?? null],
  );
}

/** Merges into what is remembered (RFC 7396): a null takes a key away. */
export async function remember(
  target: Connection,
  name: string,
  patch: Readonly<Record<string, unknown>>,
): Promise<void> {
  await change(
    target,
    name,
    'remembered = JSON_MERGE_PATCH(COALESCE(remembered, JSON_OBJECT()), CAST(? AS JSON))',
    [JSON.stringify(patch)],
  );
}

export async function markSwitched(target: Connection, name: string): Promise<void> {
  await change(target, name, "state = IF(state = 'active', 'switched', state)", []);
}

export async function markCompleted(target: Connection, name: string): Promise<void> {
  await change(target, name, "state = 'completed'", []);
}

async function change(
  target: Connection,
  name: string,
  assignment: string,
  values: readonly (string | null)[],
): Promise<void> {
  const { affectedRows } = await target.execute(
    `UPDATE skyferry.migration SET ${assignment}, ${touched} WHERE name = ?`,
    [...values, name],
  );
  if (affectedRows === 0) throw noCheckpoint(name);
}

/** Forgets a migration; the schema goes with the last one. */
export async function removeCheckpoint(target: Connection, name: string): Promise<void> {
  if ((await readCheckpoint(target, name)) === null) return;
  for (const table of ['copied_chunk', 'copied_table']) {
    await target.execute(`DELETE FROM skyferry.${table} WHERE migration = ?`, [name]);
  }
  await target.execute('DELETE FROM skyferry.migration WHERE name = ?', [name]);
  const [row] = await target.query('SELECT COUNT(*) AS migrations FROM skyferry.migration');
  if (Number(row?.['migrations']) === 0) {
    await target.query(`DROP DATABASE IF EXISTS ${CHECKPOINT_SCHEMA}`);
  }
}

/**
 * `affectedRows` counts matched rows only for clients that set CLIENT_FOUND_ROWS. An assignment that
 * always changes its column makes matched and changed the same, so an unmatched epoch is never missed
 * and a matched one never mistaken.
 */
const touched = 'updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)';

function toCheckpoint(row: Row): Checkpoint {
  const file = toFilePosition(row['binlog_file'], row['binlog_offset']);
  return {
    name: String(row['name']),
    configHash: String(row['config_hash']),
    planHash: toText(row['plan_hash']),
    catalogHash: toText(row['catalog_hash']),
    workflowRun: String(row['workflow_run']),
    state: row['state'] as Checkpoint['state'],
    epoch: BigInt(String(row['epoch'])),
    sourceUuid: String(row['source_uuid']),
    position: file === null ? null : { gtidSet: String(row['gtid_set']), ...file },
    high: toFilePosition(row['high_file'], row['high_offset']),
    sourceTime: typeof row['source_time'] === 'string' ? fromDatetime(row['source_time']) : null,
    lagMs: row['lag_ms'] === null ? null : Number(row['lag_ms']),
    transactions: Number(row['transactions']),
    rowChanges: Number(row['row_changes']),
    remembered: toObject(row['remembered']),
    createdAt: fromDatetime(String(row['created_at'])),
    updatedAt: fromDatetime(String(row['updated_at'])),
  };
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function toFilePosition(file: unknown, offset: unknown): FilePosition | null {
  return typeof file === 'string' && offset !== null ? { file, offset: Number(offset) } : null;
}

/** The driver parses JSON columns; a driver told not to hands out text. */
function toObject(value: unknown): Record<string, unknown> {
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

function toDatetime(iso: string): string {
  return iso.replace('T', ' ').replace('Z', '');
}

function fromDatetime(datetime: string): string {
  return `${datetime.replace(' ', 'T')}Z`;
}
