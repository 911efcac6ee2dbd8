import { log } from '@temporalio/activity';
import { readCheckpoint, remember } from '../checkpoint/store.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { LagSample } from '../workflows/results.ts';

const MOST = 300;
const FIRST_INTERVAL_MS = 1_000;
const STORE_MS = 10_000;

/**
 * Lag over time for the report, thinned out as it grows: evenly spaced, never more than 300 samples,
 * whatever the length of the run. Of the samples that one stands for the highest counts.
 */
export class LagHistory {
  #samples: LagSample[];
  #intervalMs: number;

  constructor(samples: readonly LagSample[] = []) {
    this.#samples = [...samples];
    const [first, last] = [samples.at(0), samples.at(-1)];
    const spanMs =
      first === undefined || last === undefined ? 0 : Date.parse(last.at) - Date.parse(first.at);
    this.#intervalMs = Math.max(FIRST_INTERVAL_MS, spanMs / MOST);
  }

  get samples(): readonly LagSample[] {
    return this.#samples;
  }

  add(lagMs: number, now: Date): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && now.getTime() - Date.parse(last.at) < this.#intervalMs) {
      if (lagMs > last.lagMs) this.#samples[this.#samples.length - 1] = { ...last, lagMs };
      return;
    }
    this.#samples.push({ at: now.toISOString(), lagMs: Math.round(lagMs) });
    if (this.#samples.length > MOST) this.#thin();
  }

  #thin(): void {
    this.#intervalMs *= 2;
    this.#samples = this.#samples.flatMap((sample, i) => {
      if (i % 2 === 1) return [];
      const next = this.#samples[i + 1];
      return [{ at: sample.at, lagMs: Math.max(sample.lagMs, next?.lagMs ?? 0) }];
    });
  }
}

/**
 * Hands `run` a recorder that goes on where an earlier attempt left off, and stores it now and then in
 * the checkpoint. A plot is no reason to stop a migration: what fails here is logged.
 */
export async function recordingLag<T>(
  target: Endpoint,
  migration: string,
  run: (record: (lagMs: number) => void) => Promise<T>,
): Promise<T> {
  const history = new LagHistory(await readLagHistory(target, migration));
  let storing = Promise.resolve();
  const store = () => {
    storing = storing
      .then(() =>
        withConnection(target, {}, (c) => remember(c, migration, { lag: history.samples })),
      )
      .catch(() => {
        log.warn('the history of lag could not be stored', { migration });
      });
  };
  const timer = setInterval(store, STORE_MS);
  try {
    return await run((lagMs) => history.add(lagMs, new Date()));
  } finally {
    clearInterval(timer);
    store();
    await storing;
  }
}

export async function readLagHistory(target: Endpoint, migration: string): Promise<LagSample[]> {
  const checkpoint = await withConnection(target, {}, (c) => readCheckpoint(c, migration));
  const lag = checkpoint?.remembered['lag'];
  return Array.isArray(lag) ? (lag as LagSample[]) : [];
}
