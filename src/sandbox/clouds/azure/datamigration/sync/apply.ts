import type { Batch } from '../../../../../replicate/batch.ts';
import { applyCascades } from '../../../../../replicate/apply-cascades.ts';
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

/** The session on the target that sets changed rows by their keys. It remembers no position: a lost one is the task's end. */
export class TargetSession {
  readonly #connection: Connection;
  readonly #writer: BinlogStatementWriter;
  /** From here on the target is exact. */
  readonly #high: FilePosition;
  #format: string | null = null;
  #open = false;

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
    if (!this.#open && this.#format !== format.serverVersion) {
      for (const statement of openingStatements(format)) await this.#connection.execute(statement);
      this.#format = format.serverVersion;
    }
    this.#open = true;
    const converged = (at: FilePosition) => compareFilePositions(at, this.#high) > 0;
    for (const segment of batch.segments) {
      await applyCascades(this.#connection, segment.cascades, converged);
      const { idempotent, strict } = segmentStatements(batch, segment, this.#writer);
      await this.#execute(idempotent);
      if (strict.length === 0) continue;
      await this.#execute([
        "SET SESSION rbr_exec_mode = 'STRICT'",
        ...strict,
        "SET SESSION rbr_exec_mode = 'IDEMPOTENT'",
      ]);
    }
  }

  async commit(): Promise<void> {
    await this.#connection.execute('COMMIT');
    this.#open = false;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #execute(statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.#connection.execute(statement);
  }
}
