import type { Checkpoint } from '../checkpoint/store.ts';

/** A checkpoint is written once a second while changes are applied, on a quiet source too. */
const FRESH_MS = 3_000;

/**
 * The lag that was written with the checkpoint, and the checkpoint's own age once it is no longer written:
 * an applier that has stopped leaves its last, good lag behind. `now` and the target's clock may
 * differ; a clock ahead of ours makes nothing fresher than it is.
 */
export function currentLagMs({ lagMs, updatedAt }: Checkpoint, now: Date): number {
  if (lagMs === null) return Number.MAX_SAFE_INTEGER;
  const age = now.getTime() - Date.parse(updatedAt);
  return age > FRESH_MS ? lagMs + age : lagMs;
}
