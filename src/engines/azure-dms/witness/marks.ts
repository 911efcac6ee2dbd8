import type { GtidSet } from '../../../mysql/gtid-set.ts';
import type { FilePosition } from '../../../mysql/position.ts';
import type { ReplicatedTable } from '../../../replicate/replicated-tables.ts';
import type { ChangeCounter, TableHistory, Witness } from './table-history.ts';

/** The end of a whole transaction as the stream has shown it. */
interface SourcePoint {
  readonly gtids: GtidSet;
  readonly position: FilePosition;
  /** As far as this stream has come; `position` may have been further from the start. */
  readonly reached: FilePosition;
  /** Of the source's clock: everything until then lies before. null: not known. */
  readonly millis: number | null;
  /** Number of the last change before it. */
  readonly change: number;
  /** Read so far, in all. */
  readonly transactions: number;
  readonly rowChanges: number;
}

/** A point that is confirmed once the target shows the rows that changed last before it. */
export interface Mark extends SourcePoint {
  readonly tables: ReadonlyMap<TableHistory, readonly Witness[]>;
}

/** Points that wait at most: together with `EVERY_MS` how finely a lag is told. */
const MOST_WAITING = 16;
const EVERY_MS = 1000;

/** Points of the source that wait for the target, the oldest first. */
export class Marks {
  readonly #counter: ChangeCounter;
  readonly #histories = new Map<ReplicatedTable, TableHistory>();
  /** Tables with changes behind the last mark. */
  readonly #changed = new Set<TableHistory>();
  #waiting: Mark[] = [];
  #setAt = 0;
  #lastChange = 0;
  #news: SourcePoint | null = null;

  constructor(counter: ChangeCounter) {
    this.#counter = counter;
  }

  get oldest(): Mark | undefined {
    return this.#waiting[0];
  }

  history(table: ReplicatedTable, make: () => TableHistory): TableHistory {
    let history = this.#histories.get(table);
    if (history === undefined) this.#histories.set(table, (history = make()));
    this.#changed.add(history);
    return history;
  }

  /** The stream has come to a new point; what lies before it is whole. */
  reach(point: SourcePoint): void {
    this.#news = point;
  }

  /** Makes a mark of the last point when none waits, or the last one is old enough. */
  set(now = Date.now()): void {
    const point = this.#news;
    if (point === null) return;
    const waits = this.#waiting.length > 0;
    if (waits && (now - this.#setAt < EVERY_MS || point.change === this.#lastChange)) return;
    this.#news = null;
    this.#setAt = now;
    if (this.#waiting.length >= MOST_WAITING) this.#thinOut();
    this.#waiting.push({ ...point, tables: this.#watch(point.change) });
    this.#lastChange = point.change;
  }

  /** The target has everything up to the oldest mark. */
  confirm(): void {
    const mark = this.#waiting.shift();
    if (mark === undefined) return;
    this.#counter.confirmed = mark.change;
    for (const witnesses of mark.tables.values()) release(witnesses);
  }

  #watch(upTo: number): Map<TableHistory, readonly Witness[]> {
    const tables = new Map<TableHistory, readonly Witness[]>();
    for (const history of this.#changed) {
      const witnesses = history.witnesses(this.#lastChange, upTo);
      for (const { row } of witnesses) row.watchers += 1;
      if (witnesses.length > 0) tables.set(history, witnesses);
    }
    // What comes behind the point in an open transaction belongs to the next mark.
    for (const history of this.#changed) {
      if (history.last <= upTo) this.#changed.delete(history);
    }
    return tables;
  }

  /** Every other mark but the first and the last goes; the next one watches its rows too. */
  #thinOut(): void {
    const kept: Mark[] = [];
    let carried: Mark['tables'] = new Map();
    for (const [i, mark] of this.#waiting.entries()) {
      const tables = new Map([...carried, ...mark.tables]);
      for (const [history, witnesses] of carried) {
        if (mark.tables.has(history)) release(witnesses);
      }
      const goes = i % 2 === 1 && i < this.#waiting.length - 1;
      carried = goes ? tables : new Map();
      // One that is being looked at stays the same object.
      if (!goes) kept.push(tables.size === mark.tables.size ? mark : { ...mark, tables });
    }
    this.#waiting = kept;
  }
}

function release(witnesses: readonly Witness[]): void {
  for (const { row } of witnesses) row.watchers -= 1;
}
