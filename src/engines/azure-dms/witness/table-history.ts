import type { RowsEvent } from '../../../mysql/binlog/events.ts';
import { walkRows } from '../../../mysql/binlog/rows.ts';
import type { TableMap } from '../../../mysql/binlog/table-map.ts';
import type { RowForm } from '../../../verify/row-form.ts';
import { rowForm } from '../../../verify/row-form.ts';
import { keyTextOf } from '../../../replicate/key-text.ts';
import type { ReplicatedTable } from '../../../replicate/replicated-tables.ts';
import type { RowKeyReader, RowKeyValue } from '../../../replicate/row-key.ts';
import { rowKeyReader } from '../../../replicate/row-key.ts';
import type { Fingerprint } from './fingerprint.ts';
import { ABSENT, Fingerprints } from './fingerprint.ts';
import { RowHistory } from './row-history.ts';

/** Rows of one table that are remembered beside those that marks watch: so many, at times twice as many. */
const MOST_ROWS = 64;
/** Rows of one table that a mark watches. */
const WITNESSES = 4;

/** Counts the row changes of the whole stream, in order. */
export interface ChangeCounter {
  /** Number of the last change that was read. */
  read: number;
  /** Everything up to this change is on the target. */
  confirmed: number;
}

/** One row whose state on the target tells how far its table is. */
export interface Witness {
  readonly row: RowHistory;
  /** Its last change before the mark. */
  readonly change: number;
}

/**
 * The rows of one table that changed last. Of an event the last row is enough; a row that is remembered
 * already is followed through every change. Memory does not depend on how much the source writes.
 */
export class TableHistory {
  readonly form: RowForm;
  readonly fingerprints: Fingerprints;
  readonly #table: ReplicatedTable;
  readonly #keyColumns: readonly number[];
  readonly #counter: ChangeCounter;
  /** The one that changed last comes last. */
  readonly #rows = new Map<RowKeyValue, RowHistory>();
  /** Number of the last change. */
  last = 0;
  /** The target was seen to have every change up to this one. */
  seenUpTo = 0;
  #shape: TableMap | null = null;
  #readKey: RowKeyReader | null = null;

  constructor(
    table: ReplicatedTable,
    keyColumns: readonly number[],
    lctn: number,
    counter: ChangeCounter,
  ) {
    this.#table = table;
    this.#keyColumns = keyColumns;
    this.#counter = counter;
    this.form = rowForm(table.table, lctn);
    this.fingerprints = new Fingerprints(table.table);
  }

  /** Returns how many rows the event has. */
  add(event: RowsEvent): number {
    const { change, table: shape, bytes, end } = event;
    const readKey = this.#keyReader(shape);
    const fingerprint = (start: number): Fingerprint =>
      this.fingerprints.ofImage(shape, bytes, start);
    const note = (start: number, before: number | null, after: number | null, isLast: boolean) => {
      const id = readKey(bytes, start);
      let row = this.#rows.get(id);
      if (row === undefined) {
        if (!isLast) return;
        const key = keyTextOf(this.#table.table, shape, this.#keyColumns, bytes, start);
        row = new RowHistory(
          key.map((value) => value ?? Buffer.alloc(0)),
          before === null ? ABSENT : fingerprint(before),
        );
      }
      const state = after === null ? ABSENT : fingerprint(after);
      row.add(this.#counter.read, state, this.#counter.confirmed);
      this.#rows.delete(id);
      this.#rows.set(id, row);
    };
    const rows = walkRows(event, (start, split, next) => {
      const isLast = next >= end;
      this.#counter.read += 1;
      if (change === 'insert') note(start, null, start, isLast);
      else if (change === 'delete') note(start, start, null, isLast);
      else if (readKey(bytes, start) === readKey(bytes, split)) note(start, start, split, isLast);
      else {
        note(start, start, null, isLast);
        note(split, null, split, isLast);
      }
    });
    this.last = this.#counter.read;
    this.#forget();
    return rows;
  }

  /**
   * Of the rows that changed in (`after`, `upTo`] the last few; those first that end in a state that they
   * did not have before, since only they tell.
   */
  witnesses(after: number, upTo: number): Witness[] {
    const changed = this.#changed(after, upTo);
    const telling = changed.filter((witness) => this.#tells(witness));
    const others = changed.filter((witness) => !telling.includes(witness));
    return [...telling, ...others].slice(0, WITNESSES);
  }

  /** The last rows that changed after that and are now as they were not before. */
  telling(after: number): Witness[] {
    const changed = this.#changed(after, Infinity);
    return changed.filter((witness) => this.#tells(witness)).slice(0, WITNESSES);
  }

  #changed(after: number, upTo: number): Witness[] {
    return [...this.#rows.values()]
      .flatMap((row) => {
        const change = row.lastIn(after, upTo);
        return change === null ? [] : [{ row, change }];
      })
      .sort((a, b) => b.change - a.change);
  }

  #tells({ row, change }: Witness): boolean {
    return row.isNewState(change, this.#counter.confirmed);
  }

  #keyReader(shape: TableMap): RowKeyReader {
    if (shape !== this.#shape || this.#readKey === null) {
      this.#shape = shape;
      this.#readKey = rowKeyReader(shape, this.#keyColumns);
    }
    return this.#readKey;
  }

  /** Rows that tell nothing go first, then those that changed longest ago; watched ones stay. */
  #forget(): void {
    if (this.#rows.size < 2 * MOST_ROWS) return;
    const { confirmed } = this.#counter;
    const free = [...this.#rows].filter(([, { watchers }]) => watchers === 0);
    const tells = (row: RowHistory) => row.isNewState(row.last, confirmed);
    const inOrder = [
      ...free.filter(([, row]) => !tells(row)),
      ...free.filter(([, row]) => tells(row)),
    ];
    for (const [id] of inOrder.slice(0, -MOST_ROWS)) this.#rows.delete(id);
  }
}
