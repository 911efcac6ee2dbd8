import type { Outage } from './ledger/records.ts';

interface Open {
  readonly startedAt: number;
  readonly failedAt: number;
  readonly endpoint: string;
  readonly lastAcknowledged: number | null;
  readonly errors: Record<string, number>;
}

/** What the application as a whole saw: writes of all sessions go through one clock. Times are epoch ms. */
export class OutageClock {
  #open: Open | null = null;
  #lastAcknowledged: number | null = null;
  #lastEnd = 0;
  readonly #onOutage: (outage: Outage) => void;
  readonly #now: () => number;

  constructor(onOutage: (outage: Outage) => void, now: () => number = Date.now) {
    this.#onOutage = onOutage;
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** A write that began at `startedAt` failed. */
  failed(startedAt: number, endpoint: string, error: string): void {
    // A straggler of the outage before: a new one would fail a write begun after that one's end.
    if (this.#open === null && startedAt < this.#lastEnd) return;
    this.#open ??= {
      // Others' writes may have been acknowledged while this one was under way.
      startedAt: Math.max(startedAt, this.#lastAcknowledged ?? startedAt),
      failedAt: this.#now(),
      endpoint,
      lastAcknowledged: this.#lastAcknowledged,
      errors: {},
    };
    this.#open.errors[error] = (this.#open.errors[error] ?? 0) + 1;
  }

  /** A write that began at `startedAt` was acknowledged; one begun before the failure ends nothing. */
  acknowledged(startedAt: number, endpoint: string): void {
    const now = this.#now();
    const open = this.#open;
    this.#lastAcknowledged = now;
    if (open === null || startedAt < open.failedAt) return;
    this.#open = null;
    this.#lastEnd = now;
    this.#onOutage({
      from: new Date(open.startedAt).toISOString(),
      to: new Date(now).toISOString(),
      ms: now - open.startedAt,
      silentMs: now - (open.lastAcknowledged ?? open.startedAt),
      failedAt: open.endpoint,
      endpoint,
      errors: open.errors,
    });
  }
}
