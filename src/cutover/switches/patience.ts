import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure, isFailure } from '../../failures.ts';

const BUSY_DELAYS_MS = [500, 1_000, 2_000, 4_000];

/** In the window there is nobody who would try again: short troubles are sat out here. */
export async function patiently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (const delayMs of BUSY_DELAYS_MS) {
    try {
      return await call();
    } catch (error) {
      if (!isFailure(error, 'CLOUD_BUSY')) throw error;
      await sleep(delayMs, undefined, { signal });
    }
  }
  return await call();
}

/** What a switch throws is final: a retry by others would run the whole cutover again. */
export function asSwitchFailure(error: unknown, safe: string): unknown {
  if (!isFailure(error) || error.code === 'SWITCH_FAILED') return error;
  const { next } = error.detail;
  return new SkyferryFailure('SWITCH_FAILED', error.message, {
    safe,
    ...(next !== undefined && { next }),
  });
}
