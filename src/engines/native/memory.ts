import type { Checkpoint } from '../../checkpoint/store.ts';
import { remember, toObject } from '../../checkpoint/store.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { FilePosition } from '../../mysql/position.ts';
import { compareFilePositions } from '../../mysql/position.ts';

/** What is known of the replication that was set up; lives in the checkpoint as `native`. */
export interface NativeMemory {
  /** Written before replication is configured, so that what is found configured is known for ours. */
  readonly source?: { readonly host: string; readonly port: number; readonly user: string } | null;
  /** The account on the source was made by us, and is dropped at the end. */
  readonly created?: string | null;
  /** Where it was stopped: it is started again from here. */
  readonly stoppedAt?: FilePosition | null;
  /** Global variables of the target as they were. */
  readonly formers?: Readonly<Record<string, string>> | null;
}

export function memoryOf({ remembered }: Pick<Checkpoint, 'remembered'>): NativeMemory {
  return toObject(remembered['native']);
}

/** Replication may be set up on the target. */
export function wasBegun(checkpoint: Pick<Checkpoint, 'remembered'>): boolean {
  const { source } = memoryOf(checkpoint);
  return source !== undefined && source !== null;
}

export async function rememberNative(
  target: Connection,
  migration: string,
  patch: NativeMemory,
): Promise<void> {
  await remember(target, migration, { native: patch });
}

/** The cutover has removed it, and says so before it does; a cutover that was taken back has forgotten that. */
export function isRemoved({
  state,
  remembered,
}: Pick<Checkpoint, 'state' | 'remembered'>): boolean {
  return state !== 'active' || toObject(remembered['cutover'])['replicationRemoved'] === true;
}

export function later(a: FilePosition, b: FilePosition | null | undefined): FilePosition {
  return b === null || b === undefined || compareFilePositions(a, b) >= 0 ? a : b;
}
