import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../../checkpoint/epoch.ts';
import { epochLost, updateCheckpoint } from '../../checkpoint/epoch.ts';
import type { Checkpoint } from '../../checkpoint/store.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { openConnection } from '../../mysql/connection.ts';
import type { Position } from '../../mysql/position.ts';
import { Grants } from '../../mysql/grants.ts';
import type { ApplyOptions } from '../../replicate/apply-changes.ts';
import { beTheApplier } from '../../replicate/apply-session.ts';
import { attach, isFiltered, isOurs, schemasOf } from './attach.ts';
import { judgeReceiver, notOurs, stoppedApplier } from './failures.ts';
import type { NativeJob } from './job.ts';
import { readKnobs } from './knobs.ts';
import { isRemoved, memoryOf } from './memory.ts';
import type { Applied } from './read-applied.ts';
import { readApplied } from './read-applied.ts';
import type { ReplicaStatus } from './replica-status.ts';
import { SourceEnds } from './source-ends.ts';
import type { Steering } from './steering.ts';
import { chooseSteering } from './steering.ts';

/** Short: what is applied counts as drained only when it was seen here. */
const POLL_MS = 200;
/** The checkpoint moves at least so often, also when nothing is applied. */
const STORE_MS = 1000;
/** A receiver that stops again and again is not started in a rush. */
const RESTART_MS = 1000;

/** Until aborted, or a failure. */
export async function watch(job: NativeJob, holder: Holder, options: ApplyOptions): Promise<never> {
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const ends = new SourceEnds(job.source);
  const sampling = ends.run(signal);
  const target = await openConnection(job.target, { signal: options.signal });
  try {
    await beTheApplier(target, job.migration);
    const steering = chooseSteering(await Grants.read(target));
    const watcher = new Watcher(job, holder, options, { target, ends, steering });
    for (;;) {
      await watcher.look();
      await delay(POLL_MS, undefined, options).catch(() => options.signal.throwIfAborted());
    }
  } finally {
    ended.abort();
    await target.close();
    await sampling;
  }
}

interface Tools {
  readonly target: Connection;
  readonly ends: SourceEnds;
  readonly steering: Steering;
}

class Watcher {
  readonly #job: NativeJob;
  readonly #holder: Holder;
  readonly #options: ApplyOptions;
  readonly #tools: Tools;
  #storedAt = 0;
  #steeredAt = 0;
  #maySeeCommitTimes = true;
  #knobs: string | null = null;

  constructor(job: NativeJob, holder: Holder, options: ApplyOptions, tools: Tools) {
    this.#job = job;
    this.#holder = holder;
    this.#options = options;
    this.#tools = tools;
  }

  async look(): Promise<void> {
    const { target } = this.#tools;
    const checkpoint = await requireCheckpoint(target, this.#job.migration);
    if (checkpoint.epoch !== this.#holder.epoch) throw epochLost(this.#holder);
    if (isRemoved(checkpoint)) {
      this.#report(checkpoint, checkpoint.position, 'removed for the cutover');
      return;
    }
    const applied = await readApplied(target, checkpoint);
    if (applied === null) {
      await this.#attach();
      return;
    }
    const { status } = applied;
    if (!isOurs(status, memoryOf(checkpoint))) throw notOurs(status);
    // First, so that what was applied before a stop counts.
    const sourceMillis = await this.#store(checkpoint, applied);
    await this.#judge(status);
    this.#report(checkpoint, applied.position, await this.#describe(status), sourceMillis);
  }

  async #attach(): Promise<void> {
    if (Date.now() - this.#steeredAt < RESTART_MS) return;
    await attach(this.#job, this.#holder, this.#options.signal);
    this.#steeredAt = Date.now();
    this.#knobs = null;
  }

  async #judge(status: ReplicaStatus): Promise<void> {
    const { target, steering } = this.#tools;
    const fresh = this.#steeredAt === 0;
    if (status.applier === 'stopped' && status.applierErrno !== 0 && !fresh) {
      throw await stoppedApplier(target, status);
    }
    const receiver = fresh ? 'start' : judgeReceiver(status);
    const filtered = isFiltered(status, steering, schemasOf(this.#job));
    // A stop without an error: somebody stopped it, the target was restarted, or we were killed before the start.
    if (receiver === 'start' || status.applier === 'stopped' || !filtered) await this.#attach();
  }

  /** Returns up to which moment of the source everything is applied. */
  async #store(checkpoint: Checkpoint, applied: Applied): Promise<number | null> {
    const { target, ends } = this.#tools;
    const moments = [ends.upTo(applied.position), await this.#lastCommit()];
    const known = Math.max(...moments.map((at) => at ?? 0));
    const earlier = checkpoint.sourceTime === null ? 0 : Date.parse(checkpoint.sourceTime);
    const sourceMillis = Math.max(known, earlier);
    const moved =
      applied.transactions > 0 || applied.position.offset !== checkpoint.position?.offset;
    if (moved || Date.now() - this.#storedAt >= STORE_MS) {
      const upTo = sourceMillis === 0 ? null : sourceMillis;
      await updateCheckpoint(target, this.#holder, {
        position: applied.position,
        sourceTime: upTo === null ? null : new Date(upTo).toISOString(),
        lagMs: upTo === null ? null : lagBehind(upTo),
        transactions: applied.transactions,
        rowChanges: 0,
      });
      this.#storedAt = Date.now();
    }
    return sourceMillis === 0 ? null : sourceMillis;
  }

  /** When the last applied transaction was committed on the source; null: nobody knows, or may not look. */
  async #lastCommit(): Promise<number | null> {
    if (!this.#maySeeCommitTimes) return null;
    try {
      const [row] = await this.#tools.target.query(
        `SELECT UNIX_TIMESTAMP(MAX(NULLIF(LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, 0))) AS at
         FROM performance_schema.replication_applier_status_by_worker WHERE CHANNEL_NAME = ''`,
      );
      const at = row?.['at'] ?? null;
      return at === null ? null : Number(at) * 1000;
    } catch (error) {
      if (!isFailure(error) || error.retryable) throw error;
      this.#maySeeCommitTimes = false;
      return null;
    }
  }

  async #describe({ receiver, receiverErrno, host, port }: ReplicaStatus): Promise<string> {
    this.#knobs ??= await this.#describeKnobs();
    if (receiver === 'running') return `MySQL's replication runs${this.#knobs}`;
    const why = receiverErrno === 0 ? '' : ` (error ${receiverErrno})`;
    return `MySQL's replication is connecting to the source: the target has to reach ${host}:${port}${why}`;
  }

  async #describeKnobs(): Promise<string> {
    const knobs = await readKnobs(this.#tools.target);
    if (knobs === null) return '';
    const order = knobs.commitOrderKept ? 'commit order kept' : 'commit order NOT kept';
    return `: ${knobs.workers} workers, ${order}`;
  }

  #report(
    checkpoint: Checkpoint,
    position: Position | null,
    engine: string,
    sourceMillis: number | null = null,
  ): void {
    if (position === null) return;
    const { seenAt } = this.#tools.ends;
    const upTo = sourceMillis ?? Date.parse(checkpoint.sourceTime ?? checkpoint.createdAt);
    this.#options.onProgress({
      lagMs: lagBehind(upTo),
      transactions: checkpoint.transactions,
      rowChanges: checkpoint.rowChanges,
      position: { file: position.file, offset: position.offset },
      sourceSeenAt: new Date(seenAt ?? Date.now()).toISOString(),
      engine,
    });
  }
}

/** Clocks differ: a source ahead of this machine has no negative lag. */
function lagBehind(sourceMillis: number): number {
  return Math.max(0, Math.round(Date.now() - sourceMillis));
}
