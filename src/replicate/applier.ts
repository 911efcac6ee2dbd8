import type { Progress } from '../checkpoint/epoch.ts';
import { SkyferryFailure } from '../failures.ts';
import type {
  FormatDescriptionEvent,
  HeartbeatEvent,
  QueryEvent,
  RowsEvent,
} from '../mysql/binlog/events.ts';
import type { EventAnswer } from '../mysql/binlog/read-binlog.ts';
import type { TableMap } from '../mysql/binlog/table-map.ts';
import type { CommittedTransaction, TransactionHandler } from '../mysql/binlog/transactions.ts';
import { GtidSet } from '../mysql/gtid-set.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import type { ApplyProgress } from '../workflows/messages.ts';
import type { ApplySession } from './apply-session.ts';
import { Batch } from './batch.ts';
import { collectChanges } from './collect-changes.ts';
import { judge } from './ddl-gate.ts';
import { refusal } from './refusal.ts';
import type { ReplicatedTables } from './replicated-tables.ts';
import { TableRouter } from './table-router.ts';

export interface ApplierOptions {
  readonly session: ApplySession;
  readonly tables: ReplicatedTables;
  /** The checkpoint: everything in it is applied. */
  readonly from: Position;
  /** Up to when on the source that is, in ms since 1970. */
  readonly appliedUpTo: number;
  /** From here on the target is exact. */
  readonly high: FilePosition | null;
  /** Stop when everything up to here is applied. */
  readonly until: FilePosition | undefined;
  readonly batchRows: number;
  readonly totals: { transactions: number; rowChanges: number };
  readonly onProgress: (progress: ApplyProgress) => void;
  readonly wasPreparedElsewhere: NonNullable<TransactionHandler['wasPreparedElsewhere']>;
  /** A batch could not be applied: nothing more is to be read. */
  readonly onFailure: (error: unknown) => void;
}

/** Bounds memory: images waiting in a batch. */
const BATCH_BYTES = 16 << 20;
/** How often the checkpoint moves when there is nothing to apply. */
const IDLE_COMMIT_MS = 1000;

/**
 * Takes the source's transactions as they are read, merges them into a batch while the target works on
 * the former one, and commits whole transactions together with the position after them. A batch
 * goes out as soon as the target is free, so it is small when there is little to do and large when
 * the applier lags.
 */
export class Applier implements TransactionHandler {
  readonly #options: ApplierOptions;
  readonly #router: TableRouter;
  #filling = new Batch();
  #spare = new Batch();
  #format: FormatDescriptionEvent | null = null;
  #gtids: GtidSet;
  /** The stored position; it never goes back. */
  #position: FilePosition;
  /** As far as this stream has shown that everything is applied or waits in the batch. */
  #reached: FilePosition | null = null;
  #commitMicros: number | null = null;
  #caughtUpAt: number | null = null;
  #seenAt = Date.now();
  /** Rows of a transaction came whose commit did not yet. */
  #open = false;
  /** Changes were sent that are not committed yet. */
  #uncommitted = 0;
  #transactions = 0;
  #committed: { position: FilePosition; sourceMillis: number };
  #running: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #lastCommit = 0;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#router = new TableRouter(options.tables);
    this.#gtids = GtidSet.parse(options.from.gtidSet);
    this.#position = { file: options.from.file, offset: options.from.offset };
    this.#committed = { position: this.#position, sourceMillis: options.appliedUpTo };
  }

  /** What is committed, or will be by the last `settle`. */
  get position(): Position {
    return { gtidSet: this.#gtids.toString(), ...this.#position };
  }

  formatDescription(event: FormatDescriptionEvent): void {
    this.#format = event;
  }

  wants(shape: TableMap): boolean {
    return this.#router.find(shape) !== null;
  }

  wasPreparedElsewhere(xid: string, commit: FilePosition): boolean | Promise<boolean> {
    return this.#options.wasPreparedElsewhere(xid, commit);
  }

  rows(event: RowsEvent): EventAnswer | Promise<EventAnswer> {
    this.#open = true;
    const route = this.#router.find(event.table);
    if (route === null) return undefined;
    collectChanges(event, route, this.#filling);
    return this.#isFull() ? this.#sendPiece() : undefined;
  }

  statement(event: QueryEvent): EventAnswer | Promise<EventAnswer> {
    const verdict = judge(event.sql, event.schema, this.#options.tables.schemas);
    if (verdict.kind === 'pass') return undefined;
    const failure = refusal(verdict, event, this.#position);
    if (this.#open) throw failure;
    // What came before is whole and may be kept: the checkpoint then lies right before the statement.
    return this.settle().then(() => {
      throw failure;
    });
  }

  commit(transaction: CommittedTransaction): EventAnswer | Promise<EventAnswer> {
    const { gtid, file, offset } = transaction;
    if (gtid === null) {
      throw new SkyferryFailure(
        'BINLOG_UNSUPPORTED',
        `a transaction without a GTID (binlog ${file}, before offset ${offset})`,
        { next: 'set gtid_mode=ON on the source' },
      );
    }
    this.#open = false;
    this.#gtids = this.#gtids.add(gtid.uuid, gtid.tag, gtid.number);
    this.#commitMicros = transaction.commitMicros;
    this.#caughtUpAt = null;
    this.#seenAt = Date.now();
    this.#transactions += 1;
    this.#advance({ file, offset });
    if (this.#isDone()) return this.#finish();
    if (this.#running === null) this.#launchWhenDue();
    else if (this.#isFull()) return this.#waitForTarget();
    return undefined;
  }

  heartbeat({ file, offset }: HeartbeatEvent): EventAnswer | Promise<EventAnswer> {
    this.#seenAt = Date.now();
    if (this.#open) return undefined;
    // While it skips what is applied already, the source sends heartbeats too: no sign of having caught up.
    const skipping = compareFilePositions({ file, offset }, this.#position) < 0;
    if (!skipping) this.#caughtUpAt = this.#seenAt;
    this.#advance({ file, offset });
    if (this.#isDone()) return this.#finish();
    if (this.#running === null) {
      this.#launchWhenDue();
      if (this.#running === null) this.#report();
    }
    return undefined;
  }

  /** Applies and commits what is whole. Rejects with what went wrong on the target. */
  async settle(): Promise<void> {
    await this.#targetIsFree();
    this.#launch();
    await this.#targetIsFree();
  }

  /** Rejects with what went wrong on the target. */
  async #targetIsFree(): Promise<void> {
    while (this.#running !== null) await this.#running;
    if (this.#failure !== null) throw this.#failure.error;
  }

  #advance(at: FilePosition): void {
    this.#reached = at;
    if (compareFilePositions(at, this.#position) > 0) this.#position = at;
  }

  #isDone(): boolean {
    const { until } = this.#options;
    if (until === undefined || this.#reached === null) return false;
    return compareFilePositions(this.#reached, until) >= 0;
  }

  async #finish(): Promise<'stop'> {
    await this.settle();
    return 'stop';
  }

  #isFull(): boolean {
    return this.#filling.weight >= this.#options.batchRows || this.#filling.bytes >= BATCH_BYTES;
  }

  /** Holds the stream back until the target has taken the batch. */
  async #waitForTarget(): Promise<void> {
    await this.#running;
    if (this.#running === null && this.#failure === null) this.#launchWhenDue();
  }

  /** A transaction that is larger than a batch goes out in pieces, committed at its end. */
  async #sendPiece(): Promise<void> {
    await this.#targetIsFree();
    this.#run(async (batch) => {
      await this.#apply(batch);
    });
  }

  #launchWhenDue(): void {
    const idle = this.#filling.isEmpty && this.#uncommitted === 0;
    if (idle && Date.now() - this.#lastCommit < IDLE_COMMIT_MS) return;
    this.#launch();
  }

  #launch(): void {
    const { position } = this;
    const transactions = this.#transactions;
    const commitMicros = this.#commitMicros;
    const caughtUpAt = this.#caughtUpAt;
    this.#transactions = 0;
    this.#run(async (batch) => {
      await this.#apply(batch);
      const rowChanges = this.#uncommitted;
      const sourceMillis = caughtUpAt ?? (commitMicros === null ? null : commitMicros / 1000);
      const progress: Progress = {
        position,
        sourceTime: sourceMillis === null ? null : new Date(sourceMillis).toISOString(),
        lagMs: sourceMillis === null ? null : lagBehind(sourceMillis),
        transactions,
        rowChanges,
      };
      await this.#options.session.commit(progress);
      this.#uncommitted = 0;
      this.#lastCommit = Date.now();
      this.#options.totals.transactions += transactions;
      this.#options.totals.rowChanges += rowChanges;
      this.#committed = {
        position,
        sourceMillis: sourceMillis ?? this.#committed.sourceMillis,
      };
      this.#report();
    });
  }

  /** Works on what was collected, while collecting goes on in the other batch. */
  #run(work: (batch: Batch) => Promise<void>): void {
    const batch = this.#filling;
    this.#filling = this.#spare;
    this.#running = this.#finishRun(batch, work(batch));
  }

  async #finishRun(batch: Batch, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#failure = { error };
      this.#running = null;
      this.#options.onFailure(error);
      return;
    }
    batch.clear();
    this.#spare = batch;
    this.#running = null;
    // The stream may have nothing more to say: what has gathered meanwhile goes out now.
    const waiting = !this.#filling.isEmpty || this.#uncommitted > 0;
    if (waiting && !this.#open) this.#launch();
  }

  async #apply(batch: Batch): Promise<void> {
    if (batch.isEmpty) return;
    const { session, high } = this.#options;
    if (this.#format === null) throw new SkyferryFailure('INTERNAL', 'rows before their format');
    if (this.#uncommitted === 0) await session.useFormat(this.#format);
    const cascaded = await session.apply(
      batch,
      (at) => high === null || compareFilePositions(at, high) > 0,
      // Until a large transaction is committed, this is all that is heard of it.
      () => this.#report(),
    );
    this.#uncommitted += batch.rows + cascaded;
  }

  #report(): void {
    const { position, sourceMillis } = this.#committed;
    this.#options.onProgress({
      lagMs: lagBehind(this.#caughtUpAt ?? sourceMillis),
      transactions: this.#options.totals.transactions,
      rowChanges: this.#options.totals.rowChanges + this.#uncommitted,
      position: { file: position.file, offset: position.offset },
      sourceSeenAt: new Date(this.#seenAt).toISOString(),
    });
  }
}

/** Clocks differ: a source ahead of this machine has no negative lag. */
function lagBehind(sourceMillis: number): number {
  return Math.max(0, Math.round(Date.now() - sourceMillis));
}
