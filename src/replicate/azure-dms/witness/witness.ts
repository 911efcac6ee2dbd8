import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../../../checkpoint/epoch.ts';
import { assertEpoch, epochLost, updateCheckpoint } from '../../../checkpoint/epoch.ts';
import type { Checkpoint } from '../../../checkpoint/store.ts';
import { requireCheckpoint } from '../../../checkpoint/store.ts';
import { SkyferryFailure } from '../../../failures.ts';
import { readBinlog } from '../../../mysql/binlog/read-binlog.ts';
import { assembleTransactions } from '../../../mysql/binlog/transactions.ts';
import type { Catalog } from '../../../mysql/catalog/types.ts';
import type { Connection } from '../../../mysql/connection.ts';
import { withConnection } from '../../../mysql/connection.ts';
import type { Endpoint } from '../../../mysql/endpoint.ts';
import { GtidSet } from '../../../mysql/gtid-set.ts';
import type { FilePosition, Position } from '../../../mysql/position.ts';
import { compareFilePositions } from '../../../mysql/position.ts';
import type { Pair } from '../../../verify/session.ts';
import { withPair } from '../../../verify/session.ts';
import type { ApplyOptions } from '../../apply-changes.ts';
import { checkSource } from '../../check-source.ts';
import { ReplicatedTables } from '../../replicated-tables.ts';
import { MarkLook } from './look.ts';
import type { Mark } from './marks.ts';
import { Marks } from './marks.ts';
import { SourceReader } from './source-reader.ts';
import type { ChangeCounter } from './table-history.ts';

export interface WitnessJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  /** Its checkpoint holds the position to go on from. */
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
}

export interface WitnessOptions extends ApplyOptions {
  /** Whoever applies says that nothing is on its way. */
  readonly settled: () => boolean;
  /** Stop once everything up to here is seen. */
  readonly until?: FilePosition | undefined;
  /** How long a row may differ although everything is said to be applied; 20 s unless told. */
  readonly patienceMs?: number;
}

const HEARTBEAT_MS = 1000;
/** Short: inside the fence the drain waits for it. */
const POLL_MS = 200;
const REPORT_MS = 1000;
const PATIENCE_MS = 20_000;

/**
 * Sees how far somebody else applies the source's changes who tells no position, and keeps the checkpoint
 * there. Reads the source's binlog and looks whether the rows that changed last in each table are on the
 * target; so it rests on each table's changes being applied in the order of the binlog. Tables without a
 * key are not watched: that their changes have arrived, only a comparison of whole tables can tell.
 *
 * Resolves with the position once `until` is seen; without it runs until aborted (rejects with the
 * signal's reason). Other failures: EPOCH_LOST, SCHEMA_CHANGED, ROWS_DIFFER, BINLOG_*, and
 * CONNECTION_LOST or TRANSIENT, after which it may be called again.
 */
export async function witness(
  job: WitnessJob,
  holder: Holder,
  options: WitnessOptions,
): Promise<Position> {
  return await withConnection(job.target, { signal: options.signal }, async (target) => {
    // Waits until no COMMIT of a lost applier's session can happen any more.
    await assertEpoch(target, holder);
    const checkpoint = await requireCheckpoint(target, job.migration);
    const { position } = checkpoint;
    if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
    await checkSource(job.source, checkpoint, options.signal);

    const counter: ChangeCounter = { read: 0, confirmed: 0 };
    const marks = new Marks(counter);
    const tables = new ReplicatedTables(job.catalog, job.lctn, new Map());
    const reader = new SourceReader({ tables, lctn: job.lctn, from: position, counter, marks });
    const ended = new AbortController();
    const signal = AbortSignal.any([options.signal, ended.signal]);
    const reading = readBinlog(
      {
        source: job.source,
        serverId: randomInt(2 ** 31, 2 ** 32 - 1),
        from: GtidSet.parse(position.gtidSet),
        heartbeatMs: HEARTBEAT_MS,
        signal,
      },
      assembleTransactions(reader),
    );
    reading.catch((error: unknown) => ended.abort(error));
    try {
      return await withPair(job, signal, async (pair) => {
        const all = { target, checkpoint, holder, counter, marks, reader, options, signal };
        return await new Watcher(all).run(pair);
      });
    } finally {
      ended.abort();
      await reading.catch(() => {});
    }
  });
}

interface Watched {
  readonly target: Connection;
  readonly checkpoint: Checkpoint;
  readonly holder: Holder;
  readonly counter: ChangeCounter;
  readonly marks: Marks;
  readonly reader: SourceReader;
  readonly options: WitnessOptions;
  readonly signal: AbortSignal;
}

/** Moves the checkpoint from mark to mark. */
class Watcher {
  readonly #all: Watched;
  #position: FilePosition;
  /** Up to this time of the source everything is on the target, ms since 1970. */
  #seenUpTo: number;
  #transactions = 0;
  #rowChanges = 0;
  #reportedAt = 0;

  constructor(all: Watched) {
    this.#all = all;
    const { position, sourceTime, createdAt } = all.checkpoint;
    this.#position = position ?? { file: '', offset: 0 };
    this.#seenUpTo = Date.parse(sourceTime ?? createdAt);
  }

  async run(pair: Pair): Promise<Position> {
    const { marks, signal, options, counter } = this.#all;
    const { settled, until, patienceMs = PATIENCE_MS } = options;
    let look: MarkLook | null = null;
    for (;;) {
      marks.set();
      const mark = marks.oldest;
      if (mark !== undefined) {
        if (look?.mark !== mark) look = new MarkLook(mark, { counter, settled, patienceMs });
        if (await look.look(pair)) {
          const position = await this.#confirm(mark);
          if (until !== undefined && compareFilePositions(mark.reached, until) >= 0) {
            return position;
          }
          // More may have been applied meanwhile.
          if (marks.oldest !== undefined) continue;
        }
      }
      await this.#report();
      await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async #confirm(mark: Mark): Promise<Position> {
    const { target, holder, marks } = this.#all;
    const position = { gtidSet: mark.gtids.toString(), ...mark.position };
    this.#seenUpTo = Math.max(this.#seenUpTo, mark.millis ?? 0);
    await updateCheckpoint(target, holder, {
      position,
      sourceTime: new Date(this.#seenUpTo).toISOString(),
      lagMs: this.#lag(),
      transactions: mark.transactions - this.#transactions,
      rowChanges: mark.rowChanges - this.#rowChanges,
    });
    this.#transactions = mark.transactions;
    this.#rowChanges = mark.rowChanges;
    this.#position = mark.position;
    marks.confirm();
    this.#tell();
    return position;
  }

  /** While nothing is confirmed: that it lives, and whether it may go on. */
  async #report(): Promise<void> {
    if (Date.now() - this.#reportedAt < REPORT_MS) return;
    const { target, holder } = this.#all;
    const { epoch } = await requireCheckpoint(target, holder.name);
    if (epoch !== holder.epoch) throw epochLost(holder);
    this.#tell();
  }

  #tell(): void {
    this.#reportedAt = Date.now();
    const { checkpoint, options, reader } = this.#all;
    options.onProgress({
      lagMs: this.#lag(),
      transactions: checkpoint.transactions + this.#transactions,
      rowChanges: checkpoint.rowChanges + this.#rowChanges,
      position: { file: this.#position.file, offset: this.#position.offset },
      sourceSeenAt: new Date(reader.seenAt).toISOString(),
    });
  }

  /** Clocks differ: a source ahead of this machine has no negative lag. */
  #lag(): number {
    return Math.max(0, Math.round(Date.now() - this.#seenUpTo));
  }
}
