import type { Socket } from 'node:net';
import type { Connection as Driver } from 'mysql2';
import { createConnection } from 'mysql2';
import { driverOptions } from '../connection.ts';
import type { Endpoint } from '../endpoint.ts';
import { toFailure } from '../errors.ts';

/** A session that has logged in and that will ask for the binlog. */
export interface DumpSession {
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Ends `query`: from now on the socket belongs to the caller, as do its errors. */
  takeSocket(): Socket;
  destroy(): void;
}

/** mysql2 connects, makes TLS and logs in; its socket can then be taken over. */
export async function openDumpSession(
  endpoint: Endpoint,
  signal: AbortSignal | undefined,
): Promise<DumpSession> {
  signal?.throwIfAborted();
  const driver = createConnection({
    ...(await driverOptions(endpoint)),
    flags: ['-COMPRESS'],
  }) as Driver & { readonly stream: Socket };
  let refuse: (reason: unknown) => void = () => {};
  // The driver's own destroy only half-closes: what runs would wait for the server's answer.
  const abort = () => {
    driver.stream.destroy(Object.assign(new Error('destroyed'), { code: 'ECONNABORTED' }));
    refuse(signal?.reason);
  };
  const destroy = () => {
    signal?.removeEventListener('abort', abort);
    driver.stream.destroy();
  };
  const failed = (error: unknown): unknown => {
    destroy();
    return signal?.aborted === true ? signal.reason : toFailure(error, endpoint);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      refuse = reject;
      driver.once('connect', () => resolve());
      driver.once('error', reject);
    });
  } catch (error) {
    throw failed(error);
  }
  // Without a listener an error outside a query would end the process.
  driver.on('error', () => {});
  return {
    query: async (sql) => {
      try {
        const [rows] = await driver.promise().query(sql);
        return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
      } catch (error) {
        throw failed(error);
      }
    },
    takeSocket: () => {
      signal?.removeEventListener('abort', abort);
      const socket = driver.stream;
      socket.removeAllListeners('data');
      return socket;
    },
    destroy,
  };
}
