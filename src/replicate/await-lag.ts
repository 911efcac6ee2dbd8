import { setTimeout as delay } from 'node:timers/promises';
import type { Checkpoint } from '../checkpoint/store.ts';
import { requireCheckpoint } from '../checkpoint/store.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';

export interface LagOptions {
  readonly thresholdMs: number;
  /** How many samples in a row have to agree. */
  readonly samples: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly lagMs: number }) => void;
}

/** The applier commits at least every other second, also when the source is idle. */
const SILENT_MS = 3000;

/**
 * Milliseconds between commit on the source and commit on the target. When the applier falls silent
 * (it stopped, or works on one huge transaction) the time since then counts too.
 */
export function lagOf(checkpoint: Checkpoint, now = Date.now()): number {
  const since = Math.max(0, now - appliedUpTo(checkpoint));
  const { lagMs } = checkpoint;
  return lagMs !== null && since - lagMs <= SILENT_MS ? lagMs : since;
}

/** Up to when on the source everything is applied, in ms since 1970. */
export function appliedUpTo({ sourceTime, createdAt }: Checkpoint): number {
  return Date.parse(sourceTime ?? createdAt);
}

/** CONNECTION_LOST and the like when the target cannot be asked; MIGRATION_CONFLICT without a checkpoint. */
export async function readLag(target: Endpoint, migration: string): Promise<{ lagMs: number }> {
  return withConnection(target, {}, async (connection) => ({
    lagMs: await sample(connection, migration),
  }));
}

/** Resolves when lag was at most the threshold that many times in a row. */
export function awaitLag(
  target: Endpoint,
  migration: string,
  options: LagOptions,
): Promise<{ lagMs: number }> {
  return awaitSamples(target, migration, options, (lagMs) => lagMs <= options.thresholdMs);
}

/** Resolves when lag was above the threshold that many times in a row. */
export function watchLag(
  target: Endpoint,
  migration: string,
  options: LagOptions,
): Promise<{ lagMs: number }> {
  return awaitSamples(target, migration, options, (lagMs) => lagMs > options.thresholdMs);
}

async function awaitSamples(
  target: Endpoint,
  migration: string,
  { samples, intervalMs, signal, onProgress }: LagOptions,
  agrees: (lagMs: number) => boolean,
): Promise<{ lagMs: number }> {
  return withConnection(target, { signal }, async (connection) => {
    for (let inARow = 0; ;) {
      const lagMs = await sample(connection, migration);
      onProgress({ lagMs });
      inARow = agrees(lagMs) ? inARow + 1 : 0;
      if (inARow >= samples) return { lagMs };
      await delay(intervalMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  });
}

async function sample(connection: Connection, migration: string): Promise<number> {
  return lagOf(await requireCheckpoint(connection, migration));
}
