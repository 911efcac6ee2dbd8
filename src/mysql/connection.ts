import type { Socket } from 'node:net';
import type { ConnectionOptions, Connection as DriverConnection } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import { SkyferryFailure } from '../failures.ts';
import type { Endpoint } from './endpoint.ts';
import { describeEndpoint } from './endpoint.ts';
import { toFailure } from './errors.ts';
import { connectSocket } from './name-resolution.ts';

export type Row = Record<string, unknown>;
export type Value = string | number | bigint | Buffer | Date | null;

/**
 * One session on one server. Values arrive as strings where a JavaScript number would lose digits
 * (BIGINT, DECIMAL), dates as strings. Every error is a SkyferryFailure without row values or SQL.
 */
export interface Connection {
  query<R extends Row = Row>(sql: string, values?: readonly Value[]): Promise<R[]>;
  execute(sql: string, values?: readonly Value[]): Promise<{ affectedRows: number }>;
  readonly threadId: number;
  /** Says goodbye; falls back to destroying the socket. Never throws. */
  close(): Promise<void>;
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface OpenOptions {
  /** Aborting destroys the socket, so a running statement fails at once. */
  signal?: AbortSignal;
  /** Statements run before the connection is handed out, e.g. `SET SESSION …`. */
  session?: readonly string[];
  database?: string;
  multipleStatements?: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Of the server's own sql_mode, as its greeting tells (SERVER_STATUS_NO_BACKSLASH_ESCAPES). */
const NO_BACKSLASH_ESCAPES = 0x200;

/**
 * The driver's options for one login; shared with the raw connection, so that sockets, TLS and tokens are
 * set up once. Throws CONFIG_INVALID for a token without a verified server, and what making one throws.
 */
export async function driverOptions(endpoint: Endpoint): Promise<ConnectionOptions> {
  const { token } = endpoint;
  if (token !== undefined && endpoint.tls.mode !== 'verify-identity') {
    throw new SkyferryFailure(
      'CONFIG_INVALID',
      `${describeEndpoint(endpoint)}: a token is sent as it is, so it goes to a verified server only`,
      { next: 'set tls.mode: verify-identity' },
    );
  }
  return {
    host: endpoint.host,
    port: endpoint.port,
    user: endpoint.user,
    password: token === undefined ? endpoint.password : await token(),
    // With `ssl` below the driver gives up on a server without TLS before it sends anything.
    enableCleartextPlugin: token !== undefined,
    stream: () => connectSocket(endpoint),
    connectTimeout: CONNECT_TIMEOUT_MS,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    charset: 'utf8mb4_bin',
    // mysql2 leaves a host name unverified unless verifyIdentity is set, whatever rejectUnauthorized says.
    ...(endpoint.tls.mode !== 'disabled' && {
      ssl: {
        rejectUnauthorized: true,
        verifyIdentity: endpoint.tls.mode === 'verify-identity',
        minVersion: 'TLSv1.2',
        ...(endpoint.tls.ca !== undefined && { ca: endpoint.tls.ca }),
      },
    }),
  };
}

export async function openConnection(
  endpoint: Endpoint,
  options: OpenOptions = {},
): Promise<Connection> {
  options.signal?.throwIfAborted();
  const driver = await createConnection({
    ...(await driverOptions(endpoint)),
    ...(options.database !== undefined && { database: options.database }),
    ...(options.multipleStatements === true && { multipleStatements: true }),
  }).catch((error: unknown) => {
    throw toFailure(error, endpoint);
  });
  const connection = new ServerConnection(driver, endpoint, options.signal);
  try {
    // The driver escapes values by backslashes: taken literally they would change a value, or end it early.
    if ((greetingOf(driver).statusFlags & NO_BACKSLASH_ESCAPES) !== 0) {
      await connection.query(
        "SET SESSION sql_mode = REPLACE(@@SESSION.sql_mode, 'NO_BACKSLASH_ESCAPES', '')",
      );
    }
    for (const statement of options.session ?? []) await connection.query(statement);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}

/** What mysql2 does not type. */
function greetingOf(driver: DriverConnection): { readonly statusFlags: number } {
  const { connection } = driver as unknown as {
    connection: Record<'_handshakePacket', { statusFlags: number }>;
  };
  return connection['_handshakePacket'];
}

/** Opens, runs, closes. */
export async function withConnection<T>(
  endpoint: Endpoint,
  options: OpenOptions,
  run: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await openConnection(endpoint, options);
  try {
    return await run(connection);
  } finally {
    await connection.close();
  }
}

class ServerConnection implements Connection {
  readonly #driver: DriverConnection;
  readonly #endpoint: Endpoint;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.destroy();

  constructor(driver: DriverConnection, endpoint: Endpoint, signal: AbortSignal | undefined) {
    this.#driver = driver;
    this.#endpoint = endpoint;
    this.#signal = signal;
    // Without a listener a socket error outside a query would end the process; the next query reports it.
    driver.on('error', () => {});
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.destroy();
  }

  get threadId(): number {
    return this.#driver.threadId;
  }

  async query<R extends Row = Row>(sql: string, values: readonly Value[] = []): Promise<R[]> {
    const [rows] = await this.#run(sql, values);
    return Array.isArray(rows) ? (rows as R[]) : [];
  }

  async execute(sql: string, values: readonly Value[] = []): Promise<{ affectedRows: number }> {
    const [result] = await this.#run(sql, values);
    const affectedRows =
      typeof result === 'object' && result !== null && 'affectedRows' in result
        ? Number(result.affectedRows)
        : 0;
    return { affectedRows };
  }

  async #run(sql: string, values: readonly Value[]): Promise<[unknown, unknown]> {
    try {
      return await this.#driver.query(sql, [...values]);
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw toFailure(error, this.#endpoint);
    }
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // COM_QUIT on a broken socket fails; the session is gone either way.
    await this.#driver.end().catch(() => this.destroy());
  }

  destroy(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // The driver's own destroy only half-closes: the running statement would wait for the server's answer.
    const stream = (this.#driver as unknown as { connection: { stream: Socket } }).connection
      .stream;
    stream.destroy(Object.assign(new Error('destroyed'), { code: 'ECONNABORTED' }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
