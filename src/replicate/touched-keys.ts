import { randomInt } from 'node:crypto';
import type { QueryEvent, RowsEvent } from '../mysql/binlog/events.ts';
import type { EventAnswer } from '../mysql/binlog/read-binlog.ts';
import { readBinlog } from '../mysql/binlog/read-binlog.ts';
import { walkRows } from '../mysql/binlog/rows.ts';
import type { TableMap } from '../mysql/binlog/table-map.ts';
import type { CommittedTransaction, TransactionHandler } from '../mysql/binlog/transactions.ts';
import { assembleTransactions } from '../mysql/binlog/transactions.ts';
import type { Catalog, ForeignKey, Table } from '../mysql/catalog/types.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { GtidSet } from '../mysql/gtid-set.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import { readBinlogEnd } from '../mysql/watermark.ts';
import type { KeyText } from './cascade.ts';
import { judge } from './ddl-gate.ts';
import { keyTextOf, sameKey } from './key-text.ts';
import { refusal } from './refusal.ts';
import { ReplicatedTables } from './replicated-tables.ts';
import type { CascadingKey } from './replicated-tables.ts';
import { TableRouter } from './table-router.ts';

export interface TouchedKeys {
  /** Everything that was touched after `from` up to here is named. */
  readonly position: Position;
  readonly tables: readonly TouchedTable[];
  readonly cascades: readonly TouchedParents[];
}

export interface TouchedTable {
  readonly table: Table;
  /** Values of the row key's columns, for `keyPredicate`. Empty when `whole`. */
  readonly keys: readonly KeyText[];
  /** Too many keys, or a table without a row key: compare all of it. */
  readonly whole: boolean;
}

/**
 * What the source's cascades may have changed without logging it: children of parents that were deleted
 * (`parents` has the old key) or got another key (old and new). Their own children are not named.
 */
export interface TouchedParents {
  readonly key: CascadingKey;
  readonly foreignKey: ForeignKey;
  /** Values of the referenced columns, for `childPredicate`. Empty when `whole`. */
  readonly parents: readonly KeyText[];
  readonly whole: boolean;
}

export interface TouchedJob {
  readonly source: Endpoint;
  readonly catalog: Catalog;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  readonly from: Position;
  /** null: as far as the binlog goes now. */
  readonly to: FilePosition | null;
  /** For one table; beyond them it counts as touched as a whole. */
  readonly maxKeys: number;
}

/** Reads what was touched out of the source's binlog. Fails like `applyChanges` does on the same events. */
export async function readTouchedKeys(
  job: TouchedJob,
  { signal }: { signal: AbortSignal },
): Promise<TouchedKeys> {
  const to = job.to ?? (await withConnection(job.source, { signal }, readBinlogEnd));
  const collector = new TouchedCollector(job, to);
  await readBinlog(
    {
      source: job.source,
      serverId: randomInt(2 ** 31, 2 ** 32 - 1),
      from: GtidSet.parse(job.from.gtidSet),
      heartbeatMs: 1000,
      untilEnd: true,
      signal,
    },
    assembleTransactions(collector),
  );
  return collector.result();
}

class TouchedCollector implements TransactionHandler {
  readonly #to: FilePosition;
  readonly #maxKeys: number;
  readonly #tables: ReplicatedTables;
  readonly #router: TableRouter;
  readonly #keys = new Map<Table, KeySet>();
  readonly #parents = new Map<CascadingKey, KeySet>();
  #gtids: GtidSet;
  #position: FilePosition;

  constructor({ catalog, lctn, from, maxKeys }: TouchedJob, to: FilePosition) {
    this.#to = to;
    this.#maxKeys = maxKeys;
    this.#tables = new ReplicatedTables(catalog, lctn, new Map());
    this.#router = new TableRouter(this.#tables);
    this.#gtids = GtidSet.parse(from.gtidSet);
    this.#position = { file: from.file, offset: from.offset };
  }

  result(): TouchedKeys {
    // At the end of the log everything up to the wanted position was there to be read.
    const reached = compareFilePositions(this.#position, this.#to) >= 0 ? this.#position : this.#to;
    return {
      position: { gtidSet: this.#gtids.toString(), file: reached.file, offset: reached.offset },
      tables: [...this.#keys].map(([table, keys]) => ({
        table,
        keys: keys.values(),
        whole: keys.isWhole,
      })),
      cascades: [...this.#parents].map(([key, parents]) => ({
        key,
        foreignKey: key.foreignKey,
        parents: parents.values(),
        whole: parents.isWhole,
      })),
    };
  }

  wants(shape: TableMap): boolean {
    return this.#router.find(shape) !== null;
  }

  rows(event: RowsEvent): void {
    const route = this.#router.find(event.table);
    if (route === null) return;
    const { table, keyColumns } = route.table;
    const keys = this.#setOf(this.#keys, table);
    if (keyColumns === null) keys.takeWhole();
    const { change, bytes, table: shape } = event;
    const cascades = event.noForeignKeyChecks
      ? []
      : change === 'delete'
        ? route.deleteCascades
        : change === 'update'
          ? route.updateCascades
          : [];
    walkRows(event, (start, split) => {
      if (keyColumns !== null) {
        keys.add(keyTextOf(table, shape, keyColumns, bytes, start));
        if (change === 'update') keys.add(keyTextOf(table, shape, keyColumns, bytes, split));
      }
      for (const key of cascades) {
        const from = keyTextOf(table, shape, key.parentColumns, bytes, start);
        const to =
          change === 'update' ? keyTextOf(table, shape, key.parentColumns, bytes, split) : null;
        if (to !== null && sameKey(from, to)) continue;
        const parents = this.#setOf(this.#parents, key);
        if (!from.includes(null)) parents.add(from);
        if (to !== null && !to.includes(null)) parents.add(to);
      }
    });
  }

  statement(event: QueryEvent): void {
    const verdict = judge(event.sql, event.schema, this.#tables.schemas);
    if (verdict.kind !== 'pass') throw refusal(verdict, event, this.#position);
  }

  commit({ gtid, file, offset }: CommittedTransaction): EventAnswer {
    if (gtid !== null) this.#gtids = this.#gtids.add(gtid.uuid, gtid.tag, gtid.number);
    if (compareFilePositions({ file, offset }, this.#position) > 0) {
      this.#position = { file, offset };
    }
    return compareFilePositions({ file, offset }, this.#to) >= 0 ? 'stop' : undefined;
  }

  #setOf<K>(sets: Map<K, KeySet>, of: K): KeySet {
    let set = sets.get(of);
    if (set === undefined) sets.set(of, (set = new KeySet(this.#maxKeys)));
    return set;
  }
}

class KeySet {
  readonly #max: number;
  readonly #keys = new Map<string, KeyText>();
  isWhole = false;

  constructor(max: number) {
    this.#max = max;
  }

  add(key: KeyText): void {
    if (this.isWhole) return;
    this.#keys.set(key.map((text) => text?.toString('latin1') ?? '\0').join('\u{100}'), key);
    if (this.#keys.size > this.#max) this.takeWhole();
  }

  takeWhole(): void {
    this.isWhole = true;
    this.#keys.clear();
  }

  values(): KeyText[] {
    return [...this.#keys.values()];
  }
}
