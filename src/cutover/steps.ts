import type { StepRecord } from './journal.ts';

/** Called before each step, and waited for. */
export type OnStep = (step: string) => unknown;

/** Times the steps of a cutover, those of earlier attempts included. */
export class StepList {
  readonly #records: StepRecord[];
  readonly #onStep: OnStep;
  #running: { readonly step: string; readonly began: number } | null = null;

  constructor(earlier: readonly StepRecord[], onStep: OnStep) {
    this.#records = [...earlier];
    this.#onStep = onStep;
  }

  get records(): readonly StepRecord[] {
    return this.#records;
  }

  async run<T>(step: string, run: () => Promise<T>, note?: (result: T) => string): Promise<T> {
    await this.#onStep(step);
    const startedAt = new Date().toISOString();
    const began = performance.now();
    this.#running = { step, began };
    const result = await run();
    this.#running = null;
    const seconds = secondsSince(began);
    this.#records.push({
      step,
      startedAt,
      seconds,
      ...(note !== undefined && { note: note(result) }),
    });
    return result;
  }

  /** How long each step from `first` on took, the one that has not ended included. */
  describeSince(first: string): string {
    const from = this.#records.findIndex(({ step }) => step === first);
    const done = from === -1 ? [] : this.#records.slice(from);
    const lines = done.map(({ step, seconds }) => `${step} ${seconds} s`);
    if (this.#running !== null) {
      const { step, began } = this.#running;
      lines.push(`${step} ${secondsSince(began)} s and not done`);
    }
    return lines.join(', ');
  }
}

function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}
