import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure, isFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { openConnection, withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { describeEndpoint } from '../mysql/endpoint.ts';
import type { QualifiedName } from '../mysql/identifier.ts';
import { killSession } from '../mysql/kill-session.ts';
import type { Position } from '../mysql/position.ts';
import type { CutoverResult } from '../workflows/results.ts';
import type { FenceState } from './fence/fence.ts';

export type StepRecord = CutoverResult['steps'][number];

/** What a cutover has begun, written down before it is done. Lives in the checkpoint as `cutover`. */
export interface CutoverState {
  /** Set before the fence is raised: how to put it back. */
  readonly former?: FenceState;
  /** From this moment on writes may have failed (ISO 8601). */
  readonly fencedAt?: string;
  readonly position?: Position;
  /** The target's own replication is not wanted any more. */
  readonly replicationRemoved?: true;
  /** Triggers that may have been created on the target, as it spells them. */
  readonly triggers?: readonly QualifiedName[];
  /** By consumer. Once one is begun, the target may take writes. */
  readonly switching?: Readonly<Record<string, 'begun' | 'done'>>;
  readonly targetPosition?: TargetPosition;
  /** When the latest switch was done. */
  readonly lastSwitchAt?: string;
  /** All of them are done. */
  readonly switchedAt?: string;
  readonly steps?: readonly StepRecord[];
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly finished?: CutoverResult;
}

/** File and offset are missing where the target does not say them (no binlog, no REPLICATION CLIENT). */
export type TargetPosition = Pick<Position, 'gtidSet'> & Partial<Position>;

/** One row is written in milliseconds: a target that takes so long is as good as away. */
const ANSWERS_WITHIN_MS = 5_000;
const KILLED_WITHIN_MS = 1_000;

/**
 * The memory of a cutover over kills. Every attempt takes it over; whatever an earlier attempt, thought
 * dead, still wants to write fails with EPOCH_LOST, and with it whatever it wanted to do next.
 */
export class CutoverJournal {
  readonly #target: Endpoint;
  readonly #migration: string;
  readonly #attempt = randomUUID();
  #connection: Connection | null = null;
  #state: CutoverState = {};

  private constructor(target: Endpoint, migration: string) {
    this.#target = target;
    this.#migration = migration;
  }

  static async takeOver(target: Endpoint, migration: string): Promise<CutoverJournal> {
    const journal = new CutoverJournal(target, migration);
    await journal.#withConnection(async (connection) => {
      const merged = `JSON_MERGE_PATCH(COALESCE(remembered, JSON_OBJECT()), CAST(? AS JSON))`;
      await connection.execute(
        `UPDATE skyferry.migration SET remembered = ${merged} WHERE name = ?`,
        [JSON.stringify({ cutover: { attempt: journal.#attempt } }), migration],
      );
      const { remembered } = await requireCheckpoint(connection, migration);
      journal.#state = remembered['cutover'] ?? {};
    });
    return journal;
  }

  /** Without taking over. */
  static async peek(target: Endpoint, migration: string): Promise<CutoverState> {
    return await withConnection(target, {}, async (connection) => {
      const { remembered } = await requireCheckpoint(connection, migration);
      return remembered['cutover'] ?? {};
    });
  }

  get state(): CutoverState {
    return this.#state;
  }

  /** Once true, nothing is undone without a proof that the target took no writes. */
  get switchBegun(): boolean {
    return (
      this.#state.switchedAt !== undefined || Object.keys(this.#state.switching ?? {}).length > 0
    );
  }

  /** Durable when it resolves. Waits for a target that does not answer until `signal`, and not for long. */
  async write(patch: CutoverState, signal?: AbortSignal): Promise<void> {
    await this.#merge(patch, '', signal);
  }

  /** With it whoever applies changes loses the epoch, and gets none until `forgetSwitching`. */
  async beginSwitching(
    patch: CutoverState & Required<Pick<CutoverState, 'targetPosition'>>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#merge(patch, ', epoch = epoch + 1', signal);
  }

  async #merge(patch: CutoverState, more: string, signal?: AbortSignal): Promise<void> {
    const expression = `JSON_MERGE_PATCH(remembered, CAST(? AS JSON))${more}`;
    await this.#update(expression, JSON.stringify({ cutover: patch }), signal);
    this.#state = {
      ...this.#state,
      ...patch,
      ...(patch.switching !== undefined && {
        switching: { ...this.#state.switching, ...patch.switching },
      }),
    };
  }

  /** From here on whoever carries on un-fences instead of going forward. All switches must be undone. */
  async forgetSwitching(): Promise<void> {
    const none = { switching: null, targetPosition: null, lastSwitchAt: null, switchedAt: null };
    await this.#update(
      'JSON_MERGE_PATCH(remembered, CAST(? AS JSON))',
      JSON.stringify({ cutover: none }),
    );
    const {
      switching: _switching,
      targetPosition: _targetPosition,
      lastSwitchAt: _lastSwitchAt,
      switchedAt: _switchedAt,
      ...rest
    } = this.#state;
    this.#state = rest;
  }

  /** Forgets everything but who holds it. */
  async clear(): Promise<void> {
    const empty = JSON.stringify({ attempt: this.#attempt });
    await this.#update("JSON_SET(remembered, '$.cutover', CAST(? AS JSON))", empty);
    this.#state = {};
  }

  /** Throws EPOCH_LOST when another attempt took over. */
  async assertHeld(): Promise<void> {
    await this.write({});
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = null;
  }

  async #update(expression: string, value: string, signal?: AbortSignal): Promise<void> {
    await this.#withConnection(async (connection) => {
      const { affectedRows } = await connection.execute(
        `UPDATE skyferry.migration SET remembered = ${expression},
                updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)
          WHERE name = ? AND JSON_UNQUOTE(JSON_EXTRACT(remembered, '$.cutover.attempt')) = ?`,
        [value, this.#migration, this.#attempt],
      );
      if (affectedRows === 0) {
        throw new SkyferryFailure(
          'EPOCH_LOST',
          `another attempt took over the cutover of ${this.#migration}`,
          { safe: 'this one does nothing more; the other one decides' },
        );
      }
    }, signal);
  }

  /** One session for all of it, since every login costs downtime; a lost one is opened once again. */
  async #withConnection(
    run: (connection: Connection) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const reused = this.#connection !== null;
    try {
      signal?.throwIfAborted();
      this.#connection ??= await openConnection(this.#target);
      await this.#answered(this.#connection, run, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isFailure(error, 'CONNECTION_LOST')) throw error;
      this.#connection?.destroy();
      this.#connection = null;
      if (!reused) throw error;
      // Every write may be repeated: it sets values, and one epoch more is none less.
      await this.#withConnection(run, signal);
    }
  }

  /** What is not answered in time must not be executed later, when nobody counts with it any more. */
  async #answered(
    connection: Connection,
    run: (connection: Connection) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const late = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    const until = signal === undefined ? late : AbortSignal.any([signal, late]);
    let killed: Promise<unknown> | undefined;
    const giveUp = () => {
      connection.destroy();
      killed = Promise.race([
        killSession(this.#target, connection.threadId),
        sleep(KILLED_WITHIN_MS, undefined, { ref: false }),
      ]);
    };
    until.addEventListener('abort', giveUp, { once: true });
    try {
      await run(connection);
    } catch (error) {
      throw late.aborted ? unanswered(this.#target) : error;
    } finally {
      until.removeEventListener('abort', giveUp);
      await killed;
    }
  }
}

function unanswered(target: Endpoint): SkyferryFailure {
  return new SkyferryFailure(
    'TRANSIENT',
    `${describeEndpoint(target)}: the checkpoint could not be written within ${ANSWERS_WITHIN_MS} ms`,
    { next: 'look on the target for locks (SHOW FULL PROCESSLIST), a full disk and read_only' },
  );
}

export function fencePosition({ state: { position } }: CutoverJournal): Position {
  if (position === undefined) throw lacks('the position at the fence');
  return position;
}

export function lacks(what: string): SkyferryFailure {
  return new SkyferryFailure('INTERNAL', `the cutover's journal lacks ${what}`);
}
