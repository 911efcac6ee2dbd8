import { setTimeout as delay } from 'node:timers/promises';
import type { Checkpoint } from '../checkpoint/store.ts';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { GtidSet } from '../mysql/gtid-set.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';

/** Short: the wait is part of a cutover's downtime. */
const POLL_MS = 20;

/**
 * Waits until everything up to a position is committed on the target; somebody else applies. A GTID
 * set must be contained, a file position reached.
 */
export async function awaitApplied(
  target: Endpoint,
  migration: string,
  position: FilePosition | Pick<Position, 'gtidSet'>,
  options: { signal: AbortSignal; onProgress?: (checkpoint: Checkpoint) => void },
): Promise<Checkpoint> {
  const { signal, onProgress } = options;
  const covers = coverage(position);
  return withConnection(target, { signal }, async (connection) => {
    for (;;) {
      const checkpoint = await requireCheckpoint(connection, migration);
      if (checkpoint.position !== null && covers(checkpoint.position)) return checkpoint;
      onProgress?.(checkpoint);
      await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  });
}

function coverage(
  wanted: FilePosition | Pick<Position, 'gtidSet'>,
): (applied: Position) => boolean {
  if ('gtidSet' in wanted) {
    const set = GtidSet.parse(wanted.gtidSet);
    return ({ gtidSet }) => GtidSet.parse(gtidSet).contains(set);
  }
  return (applied) => compareFilePositions(applied, wanted) >= 0;
}
