import type { KeyValue } from '../../../verify/row-form.ts';
import type { Fingerprint } from './fingerprint.ts';

interface State {
  /** Number of the change that made it; 0: it was so before. */
  readonly change: number;
  readonly fingerprint: Fingerprint;
}

const MOST_STATES = 4096;

/** The states that one row went through on the source, as its binlog says. */
export class RowHistory {
  readonly key: readonly KeyValue[];
  /** By how many waiting marks it is watched. */
  watchers = 0;
  #states: State[];

  constructor(key: readonly KeyValue[], before: Fingerprint) {
    this.key = key;
    this.#states = [{ change: 0, fingerprint: before }];
  }

  /** Number of the last change. */
  get last(): number {
    return this.#states.at(-1)!.change;
  }

  /** `confirmed`: the target has every change up to this one, so older states come no more. */
  add(change: number, fingerprint: Fingerprint, confirmed: number): void {
    let gone = 0;
    while ((this.#states[gone + 1]?.change ?? Infinity) <= confirmed) gone += 1;
    if (this.#states.length - gone >= MOST_STATES) gone += MOST_STATES / 4;
    if (gone > 0) this.#states = this.#states.slice(gone);
    this.#states.push({ change, fingerprint });
  }

  /** The last change in (`after`, `upTo`]; null: there is none. */
  lastIn(after: number, upTo: number): number | null {
    const found = this.#states.findLast(({ change }) => change <= upTo);
    return found !== undefined && found.change > after ? found.change : null;
  }

  /** Whether the state that this change made is told from every one before, from `confirmed` on. */
  isNewState(change: number, confirmed: number): boolean {
    const made = this.#states.find((state) => state.change === change);
    return made !== undefined && !this.place(made.fingerprint, change, confirmed).before;
  }

  /** Where in the history a fingerprint occurs: before a change, or as made by it or later. */
  place(
    fingerprint: Fingerprint,
    change: number,
    confirmed: number,
  ): { before: boolean; since: boolean; newest: boolean } {
    const found = { before: false, since: false, newest: false };
    for (const [i, state] of this.#states.entries()) {
      const next = this.#states[i + 1];
      if (state.fingerprint !== fingerprint || (next && next.change <= confirmed)) continue;
      if (state.change < change) found.before = true;
      else found.since = true;
      found.newest = next === undefined;
    }
    return found;
  }
}
