import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../../../checkpoint/epoch.ts';
import { epochLost, updateCheckpoint } from '../../../checkpoint/epoch.ts';
import type { Checkpoint } from '../../../checkpoint/store.ts';
import { requireCheckpoint } from '../../../checkpoint/store.ts';
import { SkyferryFailure } from '../../../failures.ts';
import type { Connection } from '../../../mysql/connection.ts';
import type { FilePosition, Position } from '../../../mysql/position.ts';
import { compareFilePositions } from '../../../mysql/position.ts';
import type { Pair } from '../../../verify/session.ts';
import type { ApplyOptions } from '../../../replicate/apply-changes.ts';
import { MarkLook } from './look.ts';
import type { Mark, Marks } from './marks.ts';
import type { SourceReader } from './source-reader.ts';
import type { ChangeCounter } from './table-history.ts';

export interface WitnessOptions extends ApplyOptions {
  /** Whoever applies says that nothing is on its way. */
  readonly settled: () => boolean;
  /** Stop once everything up to here is seen. */
  readonly until?: FilePosition | undefined;
  /** How long a row may differ although everything is said to be applied; 20 s unless told. */
  readonly patienceMs?: number;
}

/** Short: inside the fence the drain waits for it. */
const POLL_MS = 200;
const REPORT_MS = 1000;
const PATIENCE_MS = 20_000;
/** A server that does not answer for so long is gone. */
const ANSWER_WITHIN_MS = 60_000;

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
export class Watcher {
  readonly #all: Watched;
  readonly #onSilence: (failure: SkyferryFailure) => void;
  #position: FilePosition;
  /** Up to this time of the source everything is on the target, ms since 1970. */
  #seenUpTo: number;
  #look: MarkLook | null = null;
  #transactions = 0;
  #rowChanges = 0;
  #reportedAt = 0;

  constructor(all: Watched, onSilence: (failure: SkyferryFailure) => void) {
    this.#all = all;
    this.#onSilence = onSilence;
    const { position, sourceTime, createdAt } = all.checkpoint;
    this.#position = position ?? { file: '', offset: 0 };
    this.#seenUpTo = Date.parse(sourceTime ?? createdAt);
  }

  async run(pairs: readonly Pair[]): Promise<Position> {
    const { marks, signal, options } = this.#all;
    const { until } = options;
    for (;;) {
      marks.set();
      const mark = marks.oldest;
      const position = mark && (await this.#answered(() => this.#try(mark, pairs)));
      if (mark && position) {
        if (until && compareFilePositions(mark.reached, until) >= 0) return position;
        // More may have been applied meanwhile.
        if (marks.oldest !== undefined) continue;
      }
      await this.#answered(() => this.#report());
      await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** null: the target does not have everything up to the mark yet. */
  async #try(mark: Mark, pairs: readonly Pair[]): Promise<Position | null> {
    const { counter, options } = this.#all;
    const { settled, patienceMs = PATIENCE_MS } = options;
    if (this.#look?.mark !== mark)
      this.#look = new MarkLook(mark, { counter, settled, patienceMs });
    return (await this.#look.look(pairs)) ? await this.#confirm(mark) : null;
  }

  async #answered<T>(ask: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      const what = `a server did not answer the witness for ${ANSWER_WITHIN_MS} ms`;
      this.#onSilence(new SkyferryFailure('CONNECTION_LOST', what));
    }, ANSWER_WITHIN_MS);
    try {
      return await ask();
    } finally {
      clearTimeout(timer);
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
