import { SkyferryFailure } from '../failures.ts';
import type { RowChange } from '../mysql/binlog/events.ts';
import type { TableMap } from '../mysql/binlog/table-map.ts';
import { displayName } from '../mysql/identifier.ts';
import { Arena } from './arena.ts';
import type { Cascade } from './cascade.ts';
import type { ReplicatedTable } from './replicated-tables.ts';
import type { RowKeyReader, RowKeyValue } from './row-key.ts';
import { rowKeyReader } from './row-key.ts';
import { sameLayout } from './table-shape.ts';

/**
 * Changes that are applied within one target transaction, as segments in order. Within a segment the
 * cascades come first, in order, then of each table the deletes, then the writes.
 */
export class Batch {
  readonly arena = new Arena();
  #segments: Segment[] = [new Segment()];
  #rows = 0;
  #cascades = 0;

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Row changes of the source, before merging. */
  get rows(): number {
    return this.#rows;
  }

  /** How much there is to do. */
  get weight(): number {
    return this.#rows + this.#cascades;
  }

  get bytes(): number {
    return this.arena.length;
  }

  get isEmpty(): boolean {
    return this.#segments.length === 1 && this.#segments[0]!.isEmpty;
  }

  /**
   * A cascade sees its descendants as they are before the segment: when one has changes there, those
   * are earlier and belong into a segment of their own.
   */
  addCascade(cascade: Cascade): void {
    const { descendants } = cascade.key.parent;
    const changed = this.#last.tables;
    for (const table of descendants) {
      if (!changed.has(table)) continue;
      this.#segments.push(new Segment());
      break;
    }
    this.#last.cascades.push(cascade);
    this.#cascades += 1;
  }

  changesOf(table: ReplicatedTable, shape: TableMap): TableChanges {
    return this.#last.changesOf(table, shape, this.arena);
  }

  countRows(rows: number): void {
    this.#rows += rows;
  }

  clear(): void {
    this.arena.clear();
    this.#segments = [new Segment()];
    this.#rows = 0;
    this.#cascades = 0;
  }

  get #last(): Segment {
    return this.#segments.at(-1)!;
  }
}

export class Segment {
  readonly cascades: Cascade[] = [];
  readonly tables = new Map<ReplicatedTable, TableChanges>();

  get isEmpty(): boolean {
    return this.cascades.length === 0 && this.tables.size === 0;
  }

  changesOf(table: ReplicatedTable, shape: TableMap, arena: Arena): TableChanges {
    let changes = this.tables.get(table);
    if (changes === undefined) {
      changes =
        table.keyColumns === null
          ? new OrderedChanges(shape, table.hasSecondaryUnique, arena)
          : new MergedChanges(
              shape,
              rowKeyReader(shape, table.keyColumns),
              table.hasSecondaryUnique,
              arena,
            );
      this.tables.set(table, changes);
    } else if (!sameLayout(changes.shape, shape)) {
      const name = displayName(table.table.name);
      throw new SkyferryFailure('SCHEMA_CHANGED', `rows of ${name} changed their layout`, {
        safe: 'nothing from this change on was applied',
      });
    }
    return changes;
  }
}

export type TableChanges = MergedChanges | OrderedChanges;

/** Where images lie in the arena: begin, end, begin, end … */
export type Images = number[];

const NONE = -1;

interface KeyState {
  /** An image of the row that was there before, NONE: nothing has to go. */
  oldStart: number;
  oldEnd: number;
  /** The row as it is at last, NONE: it is gone. */
  newStart: number;
  newEnd: number;
}

/**
 * The last state of each touched row key. Written rows replace what has their key. A table with further
 * unique keys has every touched row that was there deleted first: their values may have wandered
 * from one row to another, and a replace that meets such a value would delete the other row.
 */
export class MergedChanges {
  readonly shape: TableMap;
  readonly #readKey: RowKeyReader;
  readonly #deletesBeforeWrite: boolean;
  readonly #arena: Arena;
  readonly #states = new Map<RowKeyValue, KeyState>();

  constructor(shape: TableMap, readKey: RowKeyReader, deletesBeforeWrite: boolean, arena: Arena) {
    this.shape = shape;
    this.#readKey = readKey;
    this.#deletesBeforeWrite = deletesBeforeWrite;
    this.#arena = arena;
  }

  /** How rows were grouped does not matter: each key has one last state. */
  startEvent(): void {}

  /** As `walkRows` hands rows out. */
  add(change: RowChange, bytes: Buffer, start: number, split: number, end: number): void {
    if (change === 'insert') this.#write(this.#readKey(bytes, start), bytes, start, end);
    else if (change === 'delete') this.#delete(this.#readKey(bytes, start), bytes, start, end);
    else this.#update(bytes, start, split, end);
  }

  #update(bytes: Buffer, start: number, split: number, end: number): void {
    const before = this.#readKey(bytes, start);
    const after = this.#readKey(bytes, split);
    if (before !== after) {
      this.#delete(before, bytes, start, split);
    } else if (this.#deletesBeforeWrite && !this.#states.has(before)) {
      this.#delete(before, bytes, start, split);
    }
    this.#write(after, bytes, split, end);
  }

  #write(key: RowKeyValue, bytes: Buffer, start: number, end: number): void {
    const state = this.#state(key);
    state.newStart = this.#arena.keep(bytes, start, end);
    state.newEnd = state.newStart + (end - start);
  }

  /** Also of a row that was inserted in this batch: before the copy converges it may be there already. */
  #delete(key: RowKeyValue, bytes: Buffer, start: number, end: number): void {
    const state = this.#state(key);
    state.newStart = NONE;
    if (state.oldStart !== NONE) return;
    state.oldStart = this.#arena.keep(bytes, start, end);
    state.oldEnd = state.oldStart + (end - start);
  }

  #state(key: RowKeyValue): KeyState {
    let state = this.#states.get(key);
    if (state === undefined) {
      state = { oldStart: NONE, oldEnd: NONE, newStart: NONE, newEnd: NONE };
      this.#states.set(key, state);
    }
    return state;
  }

  /** Which rows to delete, then which to write. */
  images(): { deletes: Images; writes: Images } {
    const deletes: Images = [];
    const writes: Images = [];
    for (const { oldStart, oldEnd, newStart, newEnd } of this.#states.values()) {
      if (newStart !== NONE) writes.push(newStart, newEnd);
      if (oldStart !== NONE && (newStart === NONE || this.#deletesBeforeWrite)) {
        deletes.push(oldStart, oldEnd);
      }
    }
    return { deletes, writes };
  }
}

export interface OrderedRun {
  readonly change: RowChange;
  /** Of an update both images, one behind the other, count as one. */
  readonly images: Images;
}

/**
 * A table without a row key: its changes as they came, because equal rows cannot be told apart. Changes
 * of different events stay apart: the target looks up all rows of one event in a single scan, in
 * which a row that an earlier change of the same event has just made is not found. It changes them as the
 * scan meets them, so where a unique key may hold NULLs each update goes alone: a statement that moves
 * its values on (u = u + 1, from the highest down) would meet a value that is not free yet.
 */
export class OrderedChanges {
  readonly shape: TableMap;
  readonly runs: OrderedRun[] = [];
  readonly #hasUnique: boolean;
  readonly #arena: Arena;
  #eventStarts = true;

  constructor(shape: TableMap, hasUnique: boolean, arena: Arena) {
    this.shape = shape;
    this.#hasUnique = hasUnique;
    this.#arena = arena;
  }

  startEvent(): void {
    this.#eventStarts = true;
  }

  add(change: RowChange, bytes: Buffer, start: number, _split: number, end: number): void {
    let run = this.runs.at(-1);
    const alone = this.#eventStarts || (change === 'update' && this.#hasUnique);
    const joins = run?.change === change && (change === 'insert' || !alone);
    if (run === undefined || !joins) {
      run = { change, images: [] };
      this.runs.push(run);
    }
    this.#eventStarts = false;
    const at = this.#arena.keep(bytes, start, end);
    run.images.push(at, at + (end - start));
  }
}
