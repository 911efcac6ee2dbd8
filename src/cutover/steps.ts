import type { StepRecord } from './journal.ts';

/** Called before each step, and waited for. */
export type OnStep = (step: string) => unknown;

/** Times the steps of a cutover, those of earlier attempts included. */
export class StepList {
  readonly #records: StepRecord[];
  readonly #onStep: OnStep;

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
    const result = await run();
    const seconds = Math.round(performance.now() - began) / 1000;
    this.#records.push({
      step,
      startedAt,
      seconds,
      ...(note !== undefined && { note: note(result) }),
    });
    return result;
  }
}
