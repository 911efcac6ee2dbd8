import type { Checkpoint } from '../../checkpoint/store.ts';
import type { Connection } from '../../mysql/connection.ts';
import { GtidSet } from '../../mysql/gtid-set.ts';
import type { Position } from '../../mysql/position.ts';
import { later } from './memory.ts';
import type { ReplicaStatus } from './replica-status.ts';
import { readReplicaStatus } from './replica-status.ts';

export interface Applied {
  readonly status: ReplicaStatus;
  /** Both halves only ever grow. */
  readonly position: Position;
  /** More than the checkpoint knew of. */
  readonly transactions: number;
}

/**
 * Replicated transactions keep their GTIDs, and joining `gtid_executed` is part of their commit: so what of
 * the source is in the target's set is applied, whatever was killed. File and offset follow a moment later.
 * null: no replication is set up.
 */
export async function readApplied(
  target: Connection,
  { position, sourceUuid }: Pick<Checkpoint, 'position' | 'sourceUuid'>,
): Promise<Applied | null> {
  const status = await readReplicaStatus(target);
  if (status === null || position === null) return null;
  const known = GtidSet.parse(position.gtidSet);
  const executed = await readExecutedOf(target, known, sourceUuid);
  const now = known.union(executed);
  const { file, offset } = later(position, status.applied);
  return {
    status,
    position: { gtidSet: now.toString(), file, offset },
    transactions: Number(now.size() - known.size()),
  };
}

/** Transactions of the source's history that the target holds under their own GTIDs. */
export async function readExecutedOf(
  target: Connection,
  known: GtidSet,
  sourceUuid: string,
): Promise<GtidSet> {
  const [row] = await target.query<{ executed: string; own: string }>(
    'SELECT @@GLOBAL.gtid_executed AS executed, @@GLOBAL.server_uuid AS own',
  );
  const servers = known.servers().add(sourceUuid.toLowerCase());
  // The target's own transactions are no part of the source's history.
  servers.delete((row?.own ?? '').toLowerCase());
  return GtidSet.parse((row?.executed ?? '').replaceAll(/\s/g, '')).ofServers(servers);
}
