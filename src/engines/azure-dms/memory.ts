import type { Checkpoint } from '../../checkpoint/store.ts';
import { remember, requireCheckpoint, toObject } from '../../checkpoint/store.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { DmsPlace } from './job.ts';

/**
 * What is known of the service's tasks; lives in the checkpoint as `dms`. What became of the sync task is
 * noted by its name, so that nothing a worker thought dead writes late is taken for a later one's.
 */
interface DmsMemory {
  /** Of the names of its tasks. One that failed is never taken up again, so the next has another number. */
  readonly attempt?: number;
  /** The sync task: written before it is begun, so what is found under this name is known for ours. */
  readonly task?: string | null;
  readonly loaded?: string;
  readonly completing?: string;
  readonly completed?: string;
  readonly takingOver?: string;
  /** Which attempt to take over was the last. */
  readonly taker?: string;
  readonly takenOver?: string;
}

export interface SyncMemory {
  readonly task: string;
  /** Every table is loaded: the task can be taken up, but never be begun again. */
  readonly loaded: boolean;
  /** Written before the first database is completed: from here on it cannot go on for long. */
  readonly completing: boolean;
  /** All of it is complete and at its end. */
  readonly completed: boolean;
  /** Our own applier goes on in its place, because the cutover that completed it was taken back. */
  readonly takingOver: boolean;
  /** The rows have converged under it. */
  readonly takenOver: boolean;
}

/** null: none was begun, or it is not wanted any more. */
export function syncOf(checkpoint: Pick<Checkpoint, 'remembered'>): SyncMemory | null {
  const memory = memoryOf(checkpoint);
  const { task = null } = memory;
  if (task === null) return null;
  return {
    task,
    loaded: memory.loaded === task,
    completing: memory.completing === task,
    completed: memory.completed === task,
    takingOver: memory.takingOver === task,
    takenOver: memory.takenOver === task,
  };
}

export function attemptOf(checkpoint: Pick<Checkpoint, 'remembered'>): number {
  return memoryOf(checkpoint).attempt ?? 1;
}

export async function rememberDms(
  target: Connection,
  migration: string,
  patch: DmsMemory,
): Promise<void> {
  await remember(target, migration, { dms: patch });
}

/**
 * What was begun in this attempt is not taken up any more. Returns the number of the current one, which is
 * another when somebody else was first.
 */
export async function useUpAttempt(
  { target, migration }: Pick<DmsPlace, 'target' | 'migration'>,
  attempt: number,
  signal: AbortSignal,
): Promise<number> {
  return await withConnection(target, { signal }, async (connection) => {
    const current = attemptOf(await requireCheckpoint(connection, migration));
    if (current !== attempt) return current;
    await rememberDms(connection, migration, { attempt: attempt + 1, task: null });
    return attempt + 1;
  });
}

function memoryOf({ remembered }: Pick<Checkpoint, 'remembered'>): DmsMemory {
  return toObject(remembered['dms']);
}
