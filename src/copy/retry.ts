import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure } from '../failures.ts';

const ATTEMPTS = 8;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;

/**
 * Tries again after a failure that goes away by itself (deadlock, lost connection), about 30 seconds
 * long; then the failure is the caller's. Only for work that may be repeated as a whole.
 */
export async function withRetries<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const retryable = error instanceof SkyferryFailure && error.retryable;
      if (!retryable || attempt === ATTEMPTS) throw error;
    }
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
    await sleep(delay * (0.5 + Math.random() / 2), undefined, { signal });
  }
}
