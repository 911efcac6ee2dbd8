import { SkyferryFailure } from '../failures.ts';

/** Runs from the moment when writes may begin to fail; a later attempt inherits what is left. */
export class Budget {
  readonly #budgetMs: number;
  readonly #spent: () => string;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #endsAt = Number.POSITIVE_INFINITY;

  /** @param spent what the time behind the fence was spent on, in words */
  constructor(budgetMs: number, spent: () => string) {
    this.#budgetMs = budgetMs;
    this.#spent = spent;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  start(fencedAt: string): void {
    this.#endsAt = Date.parse(fencedAt) + this.#budgetMs;
    if (this.leftMs() <= 0) this.#abort.abort(this.exceeded());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(this.exceeded()), this.leftMs());
  }

  leftMs(): number {
    return this.#endsAt - Date.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  exceeded(): SkyferryFailure {
    return new SkyferryFailure(
      'DOWNTIME_EXCEEDED',
      `the cutover took longer than its downtime budget of ${this.#budgetMs} ms: ${this.#spent()}`,
      {
        safe: 'nothing was switched; the source takes writes',
        next: 'raise cutover.downtimeBudget, or cut over when the step that took longest has less to do',
      },
    );
  }
}
