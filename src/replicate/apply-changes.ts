import { randomInt } from 'node:crypto';
import type { Holder } from '../checkpoint/epoch.ts';
import { assertEpoch } from '../checkpoint/epoch.ts';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import { wasPreparedElsewhere } from '../mysql/binlog/find-prepared.ts';
import { readBinlog } from '../mysql/binlog/read-binlog.ts';
import { assembleTransactions } from '../mysql/binlog/transactions.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { GtidSet } from '../mysql/gtid-set.ts';
import { displayName } from '../mysql/identifier.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import type { ApplyProgress } from '../workflows/messages.ts';
import { Applier } from './applier.ts';
import { ApplySession } from './apply-session.ts';
import { appliedUpTo } from './await-lag.ts';
import { checkSource } from './check-source.ts';
import { holdingEpoch } from './holding-epoch.ts';
import { ReplicatedTables } from './replicated-tables.ts';

export interface ApplyJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  /** Its checkpoint holds the position to go on from. */
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  /** Row changes that are merged at most; a larger transaction goes out in pieces. */
  readonly batchRows: number;
  readonly until?: FilePosition | undefined;
}

export interface ApplyOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ApplyProgress) => void;
}

const HEARTBEAT_MS = 1000;

/**
 * Applies the source's changes from the checkpoint on, each exactly once. Takes the migration's epoch:
 * an earlier applier fails with EPOCH_LOST and cannot commit any more. Resolves with the position once
 * `until` is applied; without it runs until aborted (rejects with the signal's reason). Other
 * failures: SCHEMA_CHANGED, BINLOG_*, ROWS_DIFFER, and CONNECTION_LOST or TRANSIENT after several tries.
 */
export async function applyChanges(job: ApplyJob, options: ApplyOptions): Promise<Position> {
  return await holdingEpoch(job, options.signal, (holder) => applyOnce(job, holder, options));
}

/** From the checkpoint to the end or the first failure; the connections are this run's own. */
async function applyOnce(
  job: ApplyJob,
  holder: Holder,
  { signal, onProgress }: ApplyOptions,
): Promise<Position> {
  const { checkpoint, position, snapshots } = await readStart(job, holder, signal);
  await checkSource(job.source, checkpoint, signal);
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  const session = await ApplySession.open(job.target, holder, either);
  const tables = new ReplicatedTables(job.catalog, job.lctn, snapshots);
  try {
    const applier = new Applier({
      session,
      tables,
      from: position,
      appliedUpTo: appliedUpTo(checkpoint),
      high: checkpoint.high,
      until: job.until,
      batchRows: job.batchRows,
      totals: { transactions: checkpoint.transactions, rowChanges: checkpoint.rowChanges },
      onProgress,
      wasPreparedElsewhere: (xid, commit) =>
        wasPreparedElsewhere(job.source, xid, commit, ({ name }) => tables.concern(name), either),
      onFailure: (error) => broken.abort(error),
    });
    await readBinlog(
      {
        source: job.source,
        serverId: randomInt(2 ** 31, 2 ** 32 - 1),
        from: GtidSet.parse(position.gtidSet),
        heartbeatMs: HEARTBEAT_MS,
        signal: either,
      },
      assembleTransactions(applier),
    );
    await session.close();
    return applier.position;
  } catch (error) {
    await session.abandon();
    throw error;
  }
}

/**
 * Waits until no COMMIT of a lost session can happen any more, then reads where to go on: such a
 * session holds the checkpoint's row from the check of the epoch to its end.
 */
async function readStart(job: ApplyJob, holder: Holder, signal: AbortSignal) {
  const session = ['SET SESSION autocommit = 0'];
  return withConnection(job.target, { signal, session }, async (target) => {
    await assertEpoch(target, holder);
    const checkpoint = await requireCheckpoint(target, job.migration);
    await target.execute('COMMIT');
    const { position } = checkpoint;
    if (position === null) {
      throw new SkyferryFailure('INTERNAL', `migration ${job.migration} has no starting position`);
    }
    return { checkpoint, position, snapshots: await readSnapshots(target, job.migration) };
  });
}

async function readSnapshots(
  target: Connection,
  migration: string,
): Promise<Map<string, FilePosition>> {
  const rows = await target.query(
    `SELECT schema_name, table_name, start_file, start_offset FROM skyferry.copied_table
     WHERE migration = ? AND start_file IS NOT NULL`,
    [migration],
  );
  return new Map(
    rows.map((row) => [
      displayName({ schema: String(row['schema_name']), name: String(row['table_name']) }),
      { file: String(row['start_file']), offset: Number(row['start_offset']) },
    ]),
  );
}
