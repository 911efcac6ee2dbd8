import { createConnection } from 'mysql2';
import { driverOptions } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { toFailure } from './errors.ts';
import type { RawConnection, RawOptions } from './raw-connection.ts';
import type { LoggedIn } from './socket-connection.ts';
import { SocketConnection } from './socket-connection.ts';

export async function openRawConnection(
  endpoint: Endpoint,
  options: RawOptions = {},
): Promise<RawConnection> {
  options.signal?.throwIfAborted();
  const driver = createConnection({
    ...(await driverOptions(endpoint)),
    // The negotiated capabilities are the format of all that follows: EOF packets stay (no DEPRECATE_EOF),
    // bytes stay as they are (no COMPRESS), affected rows are matched rows (FOUND_ROWS, as mysql2 does).
    flags: ['FOUND_ROWS', '-COMPRESS', '-DEPRECATE_EOF', '-MULTI_STATEMENTS', 'LOCAL_FILES'],
  }) as LoggedIn;
  const abort = () => driver.destroy();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      driver.once('connect', () => resolve());
      driver.once('error', reject);
    });
    options.signal?.throwIfAborted();
  } catch (error) {
    driver.destroy();
    options.signal?.throwIfAborted();
    throw toFailure(error, endpoint);
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  // The driver goes on listening to the socket; what it reports is reported by this connection too.
  driver.on('error', () => {});
  const connection = new SocketConnection(driver, endpoint, options);
  try {
    for (const statement of options.session ?? []) await connection.run(statement);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}
