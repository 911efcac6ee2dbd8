import { setTimeout as delay } from 'node:timers/promises';

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/** Waits between looks, longer each time: what is waited for takes many minutes, and Azure counts requests. */
export function pauses(signal: AbortSignal): () => Promise<void> {
  let next = FIRST_MS;
  return async () => {
    await delay(next, undefined, { signal }).catch(() => signal.throwIfAborted());
    next = Math.min(LONGEST_MS, Math.round(next * 1.3));
  };
}
