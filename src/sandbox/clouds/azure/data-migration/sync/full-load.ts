import {
  loadExpression,
  selectExpression,
  transferredColumns,
} from '../../../../../copy/columns.ts';
import { insertDocuments } from '../../../../../copy/json-insert.ts';
import { documentColumns, holdsAny } from '../../../../../copy/json-scalars.ts';
import type { TextRow } from '../../../../../copy/json-stream.ts';
import { inBatches } from '../../../../../copy/json-stream.ts';
import { PacketPool } from '../../../../../copy/pump.ts';
import { sourceSession, targetSession } from '../../../../../copy/sessions.ts';
import type { TableSnapshot } from '../../../../../copy/snapshot.ts';
import { snapshotTable } from '../../../../../copy/snapshot.ts';
import { isFailure } from '../../../../../failures.ts';
import type { Column, Table } from '../../../../../mysql/catalog/types.ts';
import type { Endpoint } from '../../../../../mysql/endpoint.ts';
import {
  displayName,
  qualify,
  quoteIdentifier,
  spelledOn,
} from '../../../../../mysql/identifier.ts';
import { openRawConnection } from '../../../../../mysql/open-raw-connection.ts';
import type { FilePosition } from '../../../../../mysql/position.ts';
import type { RawConnection } from '../../../../../mysql/raw-connection.ts';
import { TaskEnd } from '../task-end.ts';

export interface Ends {
  readonly source: Endpoint;
  readonly target: Endpoint;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  readonly signal: AbortSignal;
}

/** Reads whole tables and inserts them; a session on either side. */
export class FullLoad {
  readonly #ends: Ends;
  readonly #reader: RawConnection;
  readonly #writer: RawConnection;

  private constructor(ends: Ends, reader: RawConnection, writer: RawConnection) {
    this.#ends = ends;
    this.#reader = reader;
    this.#writer = writer;
  }

  static async open(ends: Ends): Promise<FullLoad> {
    const { source, target, signal } = ends;
    const reader = await openRawConnection(source, { signal, session: sourceSession });
    try {
      const writer = await openRawConnection(target, { signal, session: targetSession });
      return new FullLoad(ends, reader, writer);
    } catch (error) {
      reader.destroy();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#reader.close(), this.#writer.close()]);
  }

  async empty(table: Table): Promise<void> {
    await this.#writer.run(`TRUNCATE TABLE ${this.#on(table)}`);
  }

  /**
   * Returns where the rows of a table without a key were read, null for one with a key: what was
   * changed while it was read is set anew by key afterwards.
   */
  async load(table: Table, onRows: (rows: number) => void): Promise<FilePosition | null> {
    const snapshot = table.rowKey === null ? await this.#lockedSnapshot(table) : null;
    if (snapshot === null) await this.#reader.run('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    await this.#writer.run('START TRANSACTION');
    await this.#copy(table, onRows);
    await this.#writer.run('COMMIT');
    await (snapshot?.release() ?? this.#reader.run('COMMIT'));
    return snapshot?.position ?? null;
  }

  async #copy(table: Table, onRows: (rows: number) => void): Promise<void> {
    const columns = transferredColumns(table);
    const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    const into = `INSERT INTO ${this.#on(table)} (${names}) VALUES `;
    const documents = documentColumns(table).length > 0;
    await inBatches(
      this.#reader,
      `SELECT ${columns.map(selectExpression).join(', ')} FROM ${qualify(table.name)} AS r` +
        (documents ? ` WHERE NOT (${holdsAny(table)})` : ''),
      async (rows) => {
        const values = rows.map((row) => rowLiteral(columns, row));
        const { affectedRows } = await this.#writer.run(into + values.join(', '));
        if (affectedRows !== rows.length) throw inexact(table);
        onRows(rows.length);
      },
    );
    if (!documents) return;
    const load = { source: this.#reader, target: this.#writer, pool: new PacketPool(), table };
    const what = displayName(table.name);
    await insertDocuments({ ...load, lctn: this.#ends.lctn, what, onMoved: onRows }, '');
  }

  async #lockedSnapshot(table: Table): Promise<TableSnapshot> {
    const { source, signal } = this.#ends;
    for (let attempt = 1; ; attempt++) {
      try {
        return await snapshotTable(source, this.#reader, table, signal);
      } catch (error) {
        if (attempt === LOCK_ATTEMPTS || !isFailure(error, 'TRANSIENT')) throw error;
      }
    }
  }

  #on(table: Table): string {
    return qualify(spelledOn(table.name, this.#ends.lctn));
  }
}

const LOCK_ATTEMPTS = 5;

function rowLiteral(columns: readonly Column[], row: TextRow): string {
  const values = columns.map((column, i) => {
    const field = row[i] ?? null;
    if (field === null) return 'NULL';
    const bytes = `_binary x'${field.toString('hex')}'`;
    return loadExpression(column, bytes) ?? bytes;
  });
  return `(${values.join(', ')})`;
}

function inexact({ name }: Table): TaskEnd {
  return new TaskEnd('Faulted', 'DataError', `Not every row of ${displayName(name)} was stored.`);
}
