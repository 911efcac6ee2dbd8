import type { FilePosition } from '../position.ts';
import type {
  AnonymousGtidEvent,
  BinlogEvent,
  FormatDescriptionEvent,
  GtidEvent,
  HeartbeatEvent,
  QueryEvent,
  RowsEvent,
} from './events.ts';
import { corrupt, unsupported } from './problems.ts';
import type { EventAnswer, OnEvent } from './read-binlog.ts';
import type { TableMap } from './table-map.ts';

interface Transaction {
  /** null: the source gave it none (gtid_mode=OFF). */
  readonly gtid: { readonly uuid: string; readonly tag: string; readonly number: bigint } | null;
  /** Commit on the source: µs since 1970; of a source before 8.0 whole seconds, when the statement began. */
  readonly commitMicros: number;
  /** Commit on the server where the transaction began its way; as `commitMicros` when not known. */
  readonly originalCommitMicros: number;
}

export interface CommittedTransaction extends Transaction, FilePosition {
  /** Rows events that were handed out. */
  readonly rowsEvents: number;
}

type Answer = EventAnswer | Promise<EventAnswer>;

/**
 * What a transaction is made of, as it comes: rows and statements, then the commit, which every
 * transaction has, also an empty one. Until then nothing may be kept for good: the reading can fail
 * within a transaction. Answers as `OnEvent`'s.
 */
export interface TransactionHandler {
  /** Rows of other tables are passed over, whatever they hold. */
  wants(table: TableMap): boolean;
  /** `walkRows` reads it; valid until the answer has settled. */
  rows(event: RowsEvent, transaction: Transaction): Answer;
  /** DDL, account statements, and DML that was logged as a statement. */
  statement(event: QueryEvent, transaction: Transaction): Answer;
  commit(transaction: CommittedTransaction): Answer;
  /**
   * At the commit of a transaction that was prepared before the reading began: whether it holds no rows of
   * wanted tables. Otherwise, and without this, the commit is BINLOG_UNSUPPORTED.
   */
  wasPreparedElsewhere?(xid: string, commit: FilePosition): boolean | Promise<boolean>;
  /** Nothing more to read up to this position, at this moment. */
  heartbeat?(event: HeartbeatEvent): Answer;
  /** At the start and for each file. */
  formatDescription?(event: FormatDescriptionEvent): Answer;
}

/**
 * Makes transactions of events. Throws BINLOG_UNSUPPORTED for what cannot be applied while it
 * streams: rows of a prepared XA transaction (its fate comes later, perhaps after a restart), and a
 * rollback that undoes rows which were handed out already.
 */
export function assembleTransactions(handler: TransactionHandler): OnEvent {
  const assembler = new Assembler(handler);
  return (event) => assembler.next(event);
}

const noTransaction: Transaction = { gtid: null, commitMicros: 0, originalCommitMicros: 0 };

class Assembler {
  readonly #handler: TransactionHandler;
  #transaction: Transaction = noTransaction;
  /** Between BEGIN and its end. */
  #open = false;
  /** A GTID came, its transaction not yet. */
  #announced = false;
  #rowsEvents = 0;
  /** By name: how many rows events came before. */
  #savepoints = new Map<string, number>();
  /** Prepared XA transactions without rows of wanted tables: their commit changes nothing. */
  readonly #harmlessXa = new Set<string>();

  constructor(handler: TransactionHandler) {
    this.#handler = handler;
  }

  next(event: BinlogEvent): Answer {
    switch (event.type) {
      case 'gtid':
      case 'anonymous-gtid':
        if (this.#open || this.#announced) throw corrupt('a transaction without its end', event);
        this.#announce(event);
        return undefined;
      case 'query':
        return this.#query(event);
      case 'rows':
        if (!this.#open) throw corrupt('rows outside of a transaction', event);
        if (!this.#handler.wants(event.table)) return undefined;
        this.#rowsEvents += 1;
        return this.#handler.rows(event, this.#transaction);
      case 'xid':
        return this.#commit(event);
      case 'xa-prepare':
        if (!event.onePhase) {
          if (this.#rowsEvents > 0) {
            throw unsupported('a prepared XA transaction with rows of migrated tables', event);
          }
          this.#harmlessXa.add(event.xid);
        }
        return this.#commit(event);
      case 'heartbeat':
        return this.#handler.heartbeat?.(event);
      case 'format-description':
        return this.#handler.formatDescription?.(event);
      // Within a transaction they carry nothing; group replication's come with a GTID of their own.
      case 'ignorable':
        return this.#announced && !this.#open ? this.#commit(event) : undefined;
      case 'table-map':
      case 'rows-query':
      case 'rotate':
      case 'previous-gtids':
      case 'stop':
        return undefined;
    }
  }

  #announce(event: GtidEvent | AnonymousGtidEvent): void {
    const commitMicros = event.immediateCommitMicros ?? event.timestamp * 1e6;
    this.#transaction = {
      gtid:
        event.type === 'gtid' ? { uuid: event.uuid, tag: event.tag, number: event.number } : null,
      commitMicros,
      originalCommitMicros: event.originalCommitMicros ?? commitMicros,
    };
    this.#announced = true;
  }

  #query(event: QueryEvent): Answer {
    if (event.sql === 'BEGIN') {
      this.#begin(event);
      return undefined;
    }
    const words = event.sql.slice(0, 12).toUpperCase();
    if (words.startsWith('XA ')) return this.#xa(event, words);
    if (words === 'COMMIT') return this.#commit(event);
    if (words.startsWith('SAVEPOINT ')) {
      this.#savepoints.set(savepointName(event.sql), this.#rowsEvents);
      return undefined;
    }
    if (words.startsWith('ROLLBACK')) return this.#rollback(event);
    return this.#statement(event);
  }

  #begin(event: QueryEvent): void {
    if (this.#open) throw corrupt('a transaction without its end', event);
    // Servers without GTIDs before 5.7 announce nothing.
    if (!this.#announced) {
      const commitMicros = event.timestamp * 1e6;
      this.#transaction = { gtid: null, commitMicros, originalCommitMicros: commitMicros };
    }
    this.#open = true;
  }

  #xa(event: QueryEvent, words: string): Answer {
    if (words.startsWith('XA START')) {
      this.#begin(event);
      return undefined;
    }
    if (words.startsWith('XA COMMIT')) {
      const xid = event.sql.slice('XA COMMIT '.length).trim();
      const known = this.#harmlessXa.delete(xid);
      return known ? this.#commit(event) : this.#commitUnknown(xid, event);
    }
    if (words.startsWith('XA ROLLBACK')) {
      this.#harmlessXa.delete(event.sql.slice('XA ROLLBACK '.length).trim());
      return this.#commit(event);
    }
    return undefined;
  }

  async #commitUnknown(xid: string, event: QueryEvent): Promise<EventAnswer> {
    const elsewhere = await this.#handler.wasPreparedElsewhere?.(xid, event);
    if (elsewhere !== true) {
      throw unsupported(
        'XA COMMIT of a transaction whose rows were logged before the reading began',
        event,
      );
    }
    return await this.#commit(event);
  }

  /**
   * Logged only when a table without transactions took part: what it changed stays, the rest is
   * undone, and the events do not say which is which.
   */
  #rollback(event: QueryEvent): Answer {
    const toSavepoint = /^ROLLBACK\s+(?:WORK\s+)?TO\s+(?:SAVEPOINT\s+)?(.*)$/is.exec(event.sql);
    const kept =
      toSavepoint === null ? 0 : (this.#savepoints.get(unquoted(toSavepoint[1] ?? '')) ?? 0);
    if (this.#rowsEvents > kept) {
      throw unsupported('a ROLLBACK in the binlog after rows of migrated tables', event);
    }
    return toSavepoint === null ? this.#commit(event) : undefined;
  }

  #statement(event: QueryEvent): Answer {
    const answer = this.#handler.statement(event, this.#transaction);
    if (this.#open) return answer;
    // CREATE TABLE … SELECT is logged as the creation and its rows in one transaction.
    if (/\bSTART TRANSACTION\s*$/i.test(event.sql)) {
      this.#open = true;
      return answer;
    }
    if (!(answer instanceof Promise)) return answer === 'stop' ? answer : this.#commit(event);
    return answer.then((verdict) => (verdict === 'stop' ? verdict : this.#commit(event)));
  }

  #commit({ file, offset }: BinlogEvent): Answer {
    const transaction = { ...this.#transaction, file, offset, rowsEvents: this.#rowsEvents };
    this.#transaction = noTransaction;
    this.#open = false;
    this.#announced = false;
    this.#rowsEvents = 0;
    if (this.#savepoints.size > 0) this.#savepoints.clear();
    return this.#handler.commit(transaction);
  }
}

function savepointName(sql: string): string {
  return unquoted(sql.slice('SAVEPOINT '.length));
}

function unquoted(name: string): string {
  return name.trim().replace(/^`(.*)`$/s, '$1');
}
