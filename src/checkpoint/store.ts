import { SkyferryFailure, isFailure } from '../failures.ts';
import type { Connection, Row } from '../mysql/connection.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { CHECKPOINT_SCHEMA } from './schema.ts';

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

export function noCheckpoint(name: string): SkyferryFailure {
  return new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `the target holds no checkpoint of migration ${name}`,
    { safe: 'nothing was changed', next: 'start the migration' },
  );
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
export const touched =
  'updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)';

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

export function toFilePosition(file: unknown, offset: unknown): FilePosition | null {
  return typeof file === 'string' && offset !== null ? { file, offset: Number(offset) } : null;
}

/** The driver parses JSON columns; a driver told not to hands out text. */
export function toObject(value: unknown): Record<string, unknown> {
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

export function toDatetime(iso: string): string {
  return iso.replace('T', ' ').replace('Z', '');
}

function fromDatetime(datetime: string): string {
  return `${datetime.replace(' ', 'T')}Z`;
}
