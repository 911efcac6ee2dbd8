import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../mysql/connection.ts';
import { openConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { FilePosition } from '../../mysql/position.ts';
import { compareFilePositions } from '../../mysql/position.ts';
import { readBinlogEnd } from '../../mysql/watermark.ts';

const EVERY_MS = 500;
const ANSWER_WITHIN_MS = 10_000;
const MOST = 5_000;

/**
 * Where the source's binlog ended at which moment: once the target has reached an end, everything up to its
 * moment is applied, whether the source is busy or idle. A source that does not answer gives no samples,
 * and the lag grows.
 */
export class SourceEnds {
  readonly #source: Endpoint;
  readonly #samples: { readonly at: number; readonly end: FilePosition }[] = [];
  #reachedAt: number | null = null;
  #seenAt: number | null = null;

  constructor(source: Endpoint) {
    this.#source = source;
  }

  /** Last answer of the source, ms since the epoch. */
  get seenAt(): number | null {
    return this.#seenAt;
  }

  /** Samples until aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await using connection = await openConnection(this.#source, { signal });
        for (;;) {
          await this.#sample(connection);
          await delay(EVERY_MS, undefined, { signal });
        }
      } catch {
        await delay(EVERY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #sample(connection: Connection): Promise<void> {
    const at = Date.now();
    const timer = setTimeout(() => connection.destroy(), ANSWER_WITHIN_MS);
    try {
      const end = await readBinlogEnd(connection);
      this.#seenAt = Date.now();
      const last = this.#samples.at(-1);
      // A source that stands still: nothing more was to be applied at this moment than at the former one.
      if (last !== undefined && compareFilePositions(last.end, end) === 0) this.#samples.pop();
      if (this.#samples.length < MOST) this.#samples.push({ at, end });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Up to which moment everything is applied; null when that is not known yet. */
  upTo(applied: FilePosition): number | null {
    for (;;) {
      const [first] = this.#samples;
      if (first === undefined || compareFilePositions(applied, first.end) < 0) break;
      this.#reachedAt = first.at;
      this.#samples.shift();
    }
    return this.#reachedAt;
  }
}
