import type { Checkpoint } from '../../checkpoint/store.ts';
import { remember, requireCheckpoint, toObject } from '../../checkpoint/store.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { DmsPlace } from './job.ts';

/** What is known of the service's tasks; lives in the checkpoint as `dms`. */
export interface DmsMemory {
  /** Of the names of its tasks. One that failed is never taken up again, so the next has another number. */
  readonly attempt?: number;
  /** The sync task: written before it is begun, so what is found under this name is known for ours. */
  readonly task?: string | null;
  /** Every table is loaded: the task can be taken up, but never be begun again. */
  readonly loaded?: true | null;
  /** Written before the first database is completed: from here on it cannot go on for long. */
  readonly completing?: true | null;
  /** All of it is complete and at its end. */
  readonly completed?: true | null;
  /** Our own applier goes on in its place, because the cutover that had completed it was taken back. */
  readonly takenOver?: 'begun' | 'done' | null;
}

export function memoryOf({ remembered }: Pick<Checkpoint, 'remembered'>): DmsMemory {
  return toObject(remembered['dms']);
}

export async function rememberDms(
  target: Connection,
  migration: string,
  patch: DmsMemory,
): Promise<void> {
  await remember(target, migration, { dms: patch });
}

export function attemptOf({ attempt = 1 }: DmsMemory): number {
  return attempt;
}

/** As after a task that came to nothing: the next one is another. */
export function nextAttempt(memory: DmsMemory): DmsMemory {
  return {
    attempt: attemptOf(memory) + 1,
    task: null,
    loaded: null,
    completing: null,
    completed: null,
    takenOver: null,
  };
}

/** What was begun under it is not taken up any more. Returns the next one's number. */
export async function useUpAttempt(
  { target, migration }: Pick<DmsPlace, 'target' | 'migration'>,
  signal: AbortSignal,
): Promise<number> {
  return await withConnection(target, { signal }, async (connection) => {
    const next = nextAttempt(memoryOf(await requireCheckpoint(connection, migration)));
    await rememberDms(connection, migration, next);
    return attemptOf(next);
  });
}
