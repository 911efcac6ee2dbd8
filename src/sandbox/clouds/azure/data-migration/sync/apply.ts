import { isFailure } from '../../../../../failures.ts';
import type { Batch } from '../../../../../replicate/batch.ts';
import { applyCascades } from '../../../../../replicate/apply-cascades.ts';
import type { Cascade } from '../../../../../replicate/cascade.ts';
import { segmentStatements } from '../../../../../replicate/batch-statements.ts';
import type { FormatDescriptionEvent } from '../../../../../mysql/binlog/events.ts';
import {
  BinlogStatementWriter,
  openingStatements,
} from '../../../../../mysql/binlog/write-events.ts';
import type { Connection } from '../../../../../mysql/connection.ts';
import { openConnection } from '../../../../../mysql/connection.ts';
import type { FilePosition } from '../../../../../mysql/position.ts';
import { compareFilePositions } from '../../../../../mysql/position.ts';
import type { Ends } from './full-load.ts';

const session = [
  `SET SESSION autocommit = 0, foreign_key_checks = 0, time_zone = '+00:00',
     sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,STRICT_ALL_TABLES',
     transaction_isolation = 'READ-COMMITTED', rbr_exec_mode = 'IDEMPOTENT'`,
];

/** What one piece of an open transaction does, so that it can be done again. */
interface Piece {
  readonly cascades: readonly Cascade[];
  readonly idempotent: readonly string[];
  readonly strict: readonly string[];
}

/** Of a transaction that loses against others on the target, such as a table being altered. */
const TRIES = 10;

/** The session on the target that sets changed rows by their keys. It remembers no position: a lost one is the task's end. */
export class TargetSession {
  readonly #connection: Connection;
  readonly #writer: BinlogStatementWriter;
  /** From here on the target is exact. */
  readonly #high: FilePosition;
  #format: string | null = null;
  /** Of the open transaction. */
  #done: Piece[] = [];

  private constructor(connection: Connection, maxPacket: number, high: FilePosition) {
    this.#connection = connection;
    this.#writer = new BinlogStatementWriter(maxPacket);
    this.#high = high;
  }

  static async open({ target, signal }: Ends, high: FilePosition): Promise<TargetSession> {
    const connection = await openConnection(target, { signal, session });
    const [row] = await connection.query('SELECT @@session.max_allowed_packet AS bytes');
    return new TargetSession(connection, Number(row?.['bytes']), high);
  }

  /** Within the open transaction, which is begun with the first. */
  async apply(batch: Batch, format: FormatDescriptionEvent): Promise<void> {
    if (this.#done.length === 0 && this.#format !== format.serverVersion) {
      await this.#execute(openingStatements(format));
      this.#format = format.serverVersion;
    }
    for (const segment of batch.segments) {
      const statements = segmentStatements(batch, segment, this.#writer);
      const piece = { cascades: segment.cascades, ...statements };
      await this.#doOrDoAgain(piece);
      this.#done.push(piece);
    }
  }

  async commit(): Promise<void> {
    await this.#connection.execute('COMMIT');
    this.#done = [];
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** A deadlock or a lock that was waited for too long undoes the whole transaction: all of it is done again. */
  async #doOrDoAgain(piece: Piece): Promise<void> {
    let due: readonly Piece[] = [piece];
    for (let tries = 1; ; tries++) {
      try {
        for (const one of due) await this.#do(one);
        return;
      } catch (error) {
        if (!isFailure(error, 'TRANSIENT') || tries === TRIES) throw error;
        await this.#connection.execute('ROLLBACK');
        due = [...this.#done, piece];
      }
    }
  }

  async #do({ cascades, idempotent, strict }: Piece): Promise<void> {
    const converged = (at: FilePosition) => compareFilePositions(at, this.#high) > 0;
    // Also when an earlier try ended in the middle of the strict ones.
    await this.#connection.execute("SET SESSION rbr_exec_mode = 'IDEMPOTENT'");
    await applyCascades(this.#connection, cascades, converged);
    await this.#execute(idempotent);
    if (strict.length === 0) return;
    await this.#execute([
      "SET SESSION rbr_exec_mode = 'STRICT'",
      ...strict,
      "SET SESSION rbr_exec_mode = 'IDEMPOTENT'",
    ]);
  }

  async #execute(statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.#connection.execute(statement);
  }
}
