import type { Holder, Progress } from '../checkpoint/epoch.ts';
import { assertEpoch, updateCheckpoint } from '../checkpoint/epoch.ts';
import { SkyferryFailure, isFailure } from '../failures.ts';
import type { FormatDescriptionEvent } from '../mysql/binlog/events.ts';
import { BinlogStatementWriter, openingStatements } from '../mysql/binlog/write-events.ts';
import type { Connection } from '../mysql/connection.ts';
import { openConnection, withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { FilePosition } from '../mysql/position.ts';
import { applyCascades } from './apply-cascades.ts';
import type { Batch } from './batch.ts';
import { segmentStatements } from './batch-statements.ts';

const session = [
  // Cascades are made by hand; time zone and sql_mode are for their literals.
  `SET SESSION autocommit = 0, foreign_key_checks = 0, sql_safe_updates = 0, time_zone = '+00:00',
     sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,STRICT_ALL_TABLES',
     transaction_isolation = 'READ-COMMITTED', rbr_exec_mode = 'IDEMPOTENT'`,
];

/** Held by the session that applies: tells a successor which one it is. A name has 64 characters at most. */
const lockName = `CONCAT('skyferry.', LEFT(SHA2(?, 256), 40))`;

/**
 * Ends the session of an earlier applier. One that was frozen, or whose machine is gone without a word,
 * would keep the rows of its open transaction locked for hours; and nobody but it can end that.
 */
export async function endFormerSession(target: Connection, migration: string): Promise<void> {
  const [row] = await target.query(`SELECT IS_USED_LOCK(${lockName}) AS id`, [migration]);
  const id = row?.['id'] ?? null;
  // It may have gone meanwhile. If another account's, it may not be ended; its locks are waited for.
  if (id !== null) await target.execute(`KILL ${Number(id)}`).catch(() => {});
}

/** From now on this session is the one that a successor ends. */
export async function beTheApplier(target: Connection, migration: string): Promise<void> {
  await target.query(`SELECT GET_LOCK(${lockName}, 5)`, [migration]);
}

/** The applier's session on the target: pieces of changes, then one commit with the checkpoint. */
export class ApplySession {
  readonly #connection: Connection;
  readonly #endpoint: Endpoint;
  readonly #holder: Holder;
  readonly #writer: BinlogStatementWriter;
  #sourceVersion: string | null = null;
  #commitPending = false;

  private constructor(
    connection: Connection,
    endpoint: Endpoint,
    holder: Holder,
    maxPacket: number,
  ) {
    this.#connection = connection;
    this.#endpoint = endpoint;
    this.#holder = holder;
    this.#writer = new BinlogStatementWriter(maxPacket);
  }

  static async open(
    endpoint: Endpoint,
    holder: Holder,
    signal: AbortSignal,
  ): Promise<ApplySession> {
    const connection = await openConnection(endpoint, { signal, session });
    try {
      await beTheApplier(connection, holder.name);
      const [row] = await connection.query('SELECT @@session.max_allowed_packet AS bytes');
      return new ApplySession(connection, endpoint, holder, Number(row?.['bytes']));
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** Outside of a transaction, before the first changes of that source version. */
  async useFormat(event: FormatDescriptionEvent): Promise<void> {
    if (event.serverVersion === this.#sourceVersion) return;
    for (const statement of openingStatements(event)) await this.#connection.execute(statement);
    this.#sourceVersion = event.serverVersion;
  }

  /** Within the open transaction. `onStep`: after each statement. Returns the rows that cascades changed. */
  async apply(
    batch: Batch,
    converged: (at: FilePosition) => boolean,
    onStep: () => void,
  ): Promise<number> {
    let cascaded = 0;
    for (const segment of batch.segments) {
      cascaded += await applyCascades(this.#connection, segment.cascades, converged, onStep);
      const { idempotent, strict } = segmentStatements(batch, segment, this.#writer);
      for (const statement of idempotent) {
        await this.#connection.execute(statement);
        onStep();
      }
      if (strict.length > 0) await this.#applyStrictly(strict, onStep);
    }
    return cascaded;
  }

  async #applyStrictly(statements: readonly string[], onStep: () => void): Promise<void> {
    await this.#connection.execute("SET SESSION rbr_exec_mode = 'STRICT'");
    for (const statement of statements) {
      await this.#connection.execute(statement).catch((error: unknown) => {
        throw isFailure(error) && error.detail.errno === KEY_NOT_FOUND ? rowMissing() : error;
      });
      onStep();
    }
    await this.#connection.execute("SET SESSION rbr_exec_mode = 'IDEMPOTENT'");
  }

  /** Rejects with EPOCH_LOST, and nothing is committed, when another applier has taken over. */
  async commit(progress: Progress): Promise<void> {
    await updateCheckpoint(this.#connection, this.#holder, progress);
    this.#commitPending = true;
    await this.#connection.execute('COMMIT');
    this.#commitPending = false;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /**
   * Rolls back by dropping the session. Of a COMMIT without its answer nobody knows whether it will
   * still happen, until the checkpoint's row is free.
   */
  async abandon(): Promise<void> {
    this.#connection.destroy();
    if (!this.#commitPending) return;
    const settle = withConnection(this.#endpoint, {}, async (connection) => {
      await connection.execute('SET SESSION innodb_lock_wait_timeout = 5, autocommit = 0');
      await assertEpoch(connection, this.#holder);
    });
    // Unreachable, or taken over: the epoch decides then.
    await settle.catch(() => {});
  }
}

const KEY_NOT_FOUND = 1032;

function rowMissing(): SkyferryFailure {
  return new SkyferryFailure(
    'ROWS_DIFFER',
    'the source changed a row of a table without a key that is not on the target',
    {
      safe: 'nothing from this change on was applied',
      next: 'find out who writes to the target, then begin the migration anew',
      errno: KEY_NOT_FOUND,
    },
  );
}
