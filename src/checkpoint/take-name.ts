import { SkyferryFailure, isFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { CHECKPOINT_SCHEMA, checkpointTables } from './schema.ts';
import type { Checkpoint } from './store.ts';
import { requireCheckpoint, toObject, touched } from './store.ts';

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
