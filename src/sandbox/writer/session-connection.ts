import type { Connection } from '../../mysql/connection.ts';
import { openConnection } from '../../mysql/connection.ts';
import { readConnectionFile } from './connection-file.ts';
import type { WriterContext } from './context.ts';
import type { LedgerKey } from './ledger/records.ts';
import { digestSession } from './watched-tables.ts';

const CLOSE_GRACE_MS = 500;

/** A session's connection to wherever the connection file points now; opened when it is asked for. */
export class SessionConnection {
  readonly #context: WriterContext;
  #open: { link: Connection; endpoint: string; generation: number } | null = null;
  #lastEndpoint = '?';

  constructor(context: WriterContext) {
    this.#context = context;
  }

  /** Of the connection, or of the last one: `host:port`. */
  get endpoint(): string {
    return this.#open?.endpoint ?? this.#lastEndpoint;
  }

  /** The present connection, or a new one when the file points elsewhere by now. */
  async get({ writer, session }: LedgerKey): Promise<Connection> {
    const { options, watch, counts } = this.#context;
    const { generation } = watch;
    if (this.#open !== null && this.#open.generation !== generation) await this.close();
    if (this.#open !== null) return this.#open.link;
    const endpoint = await readConnectionFile(options);
    this.#lastEndpoint = `${endpoint.host}:${endpoint.port}`;
    const link = await openConnection(endpoint, { session: digestSession });
    counts.reconnected += 1;
    this.#open = { link, endpoint: this.#lastEndpoint, generation };
    await this.patiently(
      link.execute('INSERT IGNORE INTO brokerage.writer_session VALUES (?, ?, ?)', [
        writer,
        session,
        0,
      ]),
    );
    return link;
  }

  /** After a failed statement: back to a clean session, or none. */
  async abandon(connection: Connection): Promise<void> {
    try {
      await this.patiently(connection.execute('ROLLBACK'));
    } catch {
      await this.close();
    }
  }

  async close(): Promise<void> {
    const link = this.#open?.link;
    this.#open = null;
    if (link === undefined) return;
    const timer = setTimeout(() => link.destroy(), CLOSE_GRACE_MS);
    await link.close();
    clearTimeout(timer);
  }

  /** An application does not wait for ever on a connection whose other end is gone. */
  async patiently<T>(work: Promise<T>): Promise<T> {
    const { statementTimeoutMs } = this.#context.options;
    const timer = setTimeout(() => this.#open?.link.destroy(), statementTimeoutMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }
}
