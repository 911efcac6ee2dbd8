import { isFailure, SkyferryFailure } from '../../../failures.ts';
import type { HeartbeatEvent, QueryEvent, RowsEvent } from '../../../mysql/binlog/events.ts';
import { walkRows } from '../../../mysql/binlog/rows.ts';
import type { TableMap } from '../../../mysql/binlog/table-map.ts';
import type {
  CommittedTransaction,
  TransactionHandler,
} from '../../../mysql/binlog/transactions.ts';
import { GtidSet } from '../../../mysql/gtid-set.ts';
import type { FilePosition, Position } from '../../../mysql/position.ts';
import { compareFilePositions } from '../../../mysql/position.ts';
import { judge } from '../../../replicate/ddl-gate.ts';
import { refusal } from '../../../replicate/refusal.ts';
import type { ReplicatedTable, ReplicatedTables } from '../../../replicate/replicated-tables.ts';
import type { Route } from '../../../replicate/table-router.ts';
import { TableRouter } from '../../../replicate/table-router.ts';
import type { Marks } from './marks.ts';
import type { ChangeCounter } from './table-history.ts';
import { TableHistory } from './table-history.ts';

interface SourceReaderOptions {
  readonly tables: ReplicatedTables;
  readonly lctn: number;
  readonly from: Position;
  readonly counter: ChangeCounter;
  readonly marks: Marks;
}

/** Notes which rows the source changes and where its transactions end; applies nothing. */
export class SourceReader implements TransactionHandler {
  readonly #options: SourceReaderOptions;
  readonly #router: TableRouter;
  #gtids: GtidSet;
  /** It never goes back. */
  #position: FilePosition;
  #open = false;
  #transactions = 0;
  #rowChanges = 0;
  #commitMillis: number | null = null;
  /** The last sign of life of the source, ms since 1970. */
  seenAt = Date.now();

  constructor(options: SourceReaderOptions) {
    this.#options = options;
    this.#router = new TableRouter(options.tables);
    this.#gtids = GtidSet.parse(options.from.gtidSet);
    this.#position = { file: options.from.file, offset: options.from.offset };
  }

  wants(shape: TableMap): boolean {
    return this.#route(shape) !== null;
  }

  rows(event: RowsEvent): void {
    this.#open = true;
    const route = this.#route(event.table);
    if (route === null) return;
    this.#rowChanges += this.#note(route.table, event);
  }

  statement(event: QueryEvent): void {
    const verdict = judge(event.sql, event.schema, this.#options.tables.schemas);
    if (verdict.kind === 'pass') return;
    throw asWitnessed(refusal(verdict, event, this.#position));
  }

  commit({ gtid, file, offset, commitMicros }: CommittedTransaction): void {
    if (gtid === null) {
      throw new SkyferryFailure(
        'BINLOG_UNSUPPORTED',
        `a transaction without a GTID (binlog ${file}, before offset ${offset})`,
        { next: 'set gtid_mode=ON on the source' },
      );
    }
    this.#open = false;
    this.#gtids = this.#gtids.add(gtid.uuid, gtid.tag, gtid.number);
    this.#transactions += 1;
    this.#commitMillis = commitMicros / 1000;
    this.seenAt = Date.now();
    this.#reach({ file, offset }, this.#commitMillis);
  }

  heartbeat({ file, offset }: HeartbeatEvent): void {
    this.seenAt = Date.now();
    if (this.#open) return;
    // While it skips what is confirmed already, the source sends heartbeats too: no sign of its end.
    const skipping = compareFilePositions({ file, offset }, this.#position) < 0;
    this.#reach({ file, offset }, skipping ? this.#commitMillis : this.seenAt);
  }

  #route(shape: TableMap): Route | null {
    try {
      return this.#router.find(shape);
    } catch (error) {
      throw isFailure(error) ? asWitnessed(error) : error;
    }
  }

  #note(table: ReplicatedTable, event: RowsEvent): number {
    const { marks, lctn, counter } = this.#options;
    const { keyColumns } = table;
    if (keyColumns === null) return walkRows(event, () => {});
    const make = () => new TableHistory(table, keyColumns, lctn, counter);
    return marks.history(table, make).add(event);
  }

  #reach(reached: FilePosition, millis: number | null): void {
    if (compareFilePositions(reached, this.#position) > 0) this.#position = reached;
    this.#options.marks.reach({
      gtids: this.#gtids,
      position: this.#position,
      reached,
      millis,
      change: this.#options.counter.read,
      transactions: this.#transactions,
      rowChanges: this.#rowChanges,
    });
  }
}

/** Neither this nor whoever applies can go on behind it. */
const LOADS_ANEW =
  'retry-phase empties the target and loads it anew with the changed definitions; switch-engine does so with another engine';

/** Whoever applies may have applied it: here it is only known that it was not confirmed. */
function asWitnessed({ code, message, detail }: SkyferryFailure): SkyferryFailure {
  return new SkyferryFailure(code, message, {
    ...detail,
    safe: 'the source is as before; the checkpoint lies before that change',
    ...(code === 'SCHEMA_CHANGED' && { next: LOADS_ANEW }),
  });
}
