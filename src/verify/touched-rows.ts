import { randomInt } from 'node:crypto';
import { wasPreparedElsewhere } from '../mysql/binlog/find-prepared.ts';
import { readBinlog } from '../mysql/binlog/read-binlog.ts';
import type { RowsEvent } from '../mysql/binlog/events.ts';
import { walkRows } from '../mysql/binlog/rows.ts';
import { assembleTransactions } from '../mysql/binlog/transactions.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { GtidSet } from '../mysql/gtid-set.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import { covers } from '../mysql/covers.ts';
import { childPredicate, keyTextOf, sameKey } from '../replicate/key-text.ts';
import type {
  CascadingKey,
  ReplicatedTable,
  ReplicatedTables,
} from '../replicate/replicated-tables.ts';
import type { KeyValue } from './row-form.ts';

/** Rows that the source's binlog says were touched. */
export interface Touched {
  /** By table, then by the key's identity. */
  readonly keys: Map<ReplicatedTable, Map<string, KeyValue[]>>;
  /** Tables without a key, as a whole. */
  readonly whole: Set<ReplicatedTable>;
  /** Children that a cascade may have changed without a trace in the binlog: conditions, by table. */
  readonly children: Map<ReplicatedTable, Set<string>>;
}

const BATCH_ROWS = 20_000;
const HEARTBEAT_MS = 1000;

export interface TouchedOptions {
  readonly source: Endpoint;
  readonly from: Position;
  readonly to: FilePosition | Position;
  readonly signal: AbortSignal;
}

/**
 * Reads the binlog from `from` up to `to` (which the source has reached already) and hands out what was
 * touched, in batches of bounded size; a row may come again in a later batch. Returns the foreign keys
 * by which cascades may have run.
 */
export async function readTouched(
  tables: ReplicatedTables,
  { source, from, to, signal }: TouchedOptions,
  onBatch: (touched: Touched) => Promise<void>,
): Promise<Set<CascadingKey>> {
  const cascaded = new Set<CascadingKey>();
  if (covers(from, to)) return cascaded;
  let batch = new Batch(cascaded);
  const flush = async (): Promise<void> => {
    const full = batch;
    batch = new Batch(cascaded);
    await onBatch(full);
  };
  const onEvent = assembleTransactions({
    wants: ({ name }) => tables.find(name) !== undefined,
    rows: (event) => {
      const table = tables.find(event.table.name);
      if (table !== undefined) batch.add(table, event);
      return batch.size >= BATCH_ROWS ? flush() : undefined;
    },
    // Whether a statement may be passed over is decided where changes are applied.
    statement: () => undefined,
    wasPreparedElsewhere: (xid, commit) =>
      wasPreparedElsewhere(source, xid, commit, ({ name }) => tables.concern(name), signal),
    commit: (transaction) => (compareFilePositions(transaction, to) >= 0 ? 'stop' : undefined),
  });
  await readBinlog(
    {
      source,
      serverId: randomInt(0x6000_0000, 0x7fff_0000),
      from: GtidSet.parse(from.gtidSet),
      heartbeatMs: HEARTBEAT_MS,
      signal,
      untilEnd: true,
    },
    onEvent,
  );
  if (batch.size > 0) await flush();
  return cascaded;
}

class Batch implements Touched {
  readonly keys = new Map<ReplicatedTable, Map<string, KeyValue[]>>();
  readonly whole = new Set<ReplicatedTable>();
  readonly children = new Map<ReplicatedTable, Set<string>>();
  readonly #cascaded: Set<CascadingKey>;
  size = 0;

  constructor(cascaded: Set<CascadingKey>) {
    this.#cascaded = cascaded;
  }

  add(table: ReplicatedTable, event: RowsEvent): void {
    walkRows(event, (start, split) => {
      this.#addImage(table, event, start);
      if (event.change === 'update') this.#addImage(table, event, split);
      if (event.change !== 'insert') this.#addChildren(table, event, start, split);
    });
  }

  #addImage(table: ReplicatedTable, { table: shape, bytes }: RowsEvent, start: number): void {
    if (table.keyColumns === null) {
      if (!this.whole.has(table)) this.size++;
      this.whole.add(table);
      return;
    }
    const key = keyTextOf(table.table, shape, table.keyColumns, bytes, start).map(
      (value) => value ?? Buffer.alloc(0),
    );
    const keys = of(this.keys, table, () => new Map<string, KeyValue[]>());
    const identity = keyIdentity(key);
    if (keys.has(identity)) return;
    keys.set(identity, key);
    this.size++;
  }

  /** The children of the old key should be gone from it, those of the new key be the same on both sides. */
  #addChildren(
    table: ReplicatedTable,
    { change, table: shape, bytes }: RowsEvent,
    start: number,
    split: number,
  ): void {
    for (const cascade of table.cascades) {
      const read = (at: number) => keyTextOf(table.table, shape, cascade.parentColumns, bytes, at);
      const before = read(start);
      const after = change === 'update' ? read(split) : null;
      if (after !== null && sameKey(before, after)) continue;
      this.#cascaded.add(cascade);
      const conditions = of(this.children, cascade.child, () => new Set<string>());
      for (const parent of after === null ? [before] : [before, after]) {
        // A NULL in the key has no children.
        if (parent.includes(null)) continue;
        conditions.add(childPredicate(cascade, parent));
        this.size++;
      }
    }
  }
}

export function keyIdentity(key: readonly KeyValue[]): string {
  return key.map((value) => `${value.length}:${value.toString('latin1')}`).join('');
}

function of<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
