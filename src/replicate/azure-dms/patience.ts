import { setTimeout as delay } from 'node:timers/promises';
import { isFailure } from '../../failures.ts';

const PATIENCE_MS = 3 * 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * A cloud that is throttled or out of reach says nothing of the task, which goes on without us: it is asked
 * again for minutes. Only for calls that may be repeated.
 */
export async function patiently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error) || !error.retryable || performance.now() > deadline) throw error;
    }
    await pausing(pause, signal);
  }
}

/** Rejects with the signal's own reason. */
export async function pausing(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
