import { setTimeout as delay } from 'node:timers/promises';
import { isFailure } from '../../failures.ts';

const PATIENCE_MS = 3 * 60_000;

/**
 * A cloud that is throttled or out of reach says nothing of the task, which goes on without us: it is asked
 * again for minutes. Only for calls that may be repeated.
 */
export async function patiently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  const pause = growingPause(500, 15_000, signal);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error) || !error.retryable || performance.now() > deadline) throw error;
    }
    await pause();
  }
}

/** Each time longer: what is small is seen soon, and what takes hours is not asked for all the time. */
export function growingPause(
  firstMs: number,
  longestMs: number,
  signal: AbortSignal,
): () => Promise<void> {
  let ms = firstMs;
  return async () => {
    await pausing(ms, signal);
    ms = Math.min(longestMs, ms * 1.5);
  };
}

/** Rejects with the signal's own reason. */
export async function pausing(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
