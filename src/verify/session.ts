import type { Endpoint } from '../mysql/endpoint.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import { openRawConnection } from '../mysql/open-raw-connection.ts';

/**
 * The same on both servers, because the text of a value depends on it: TIMESTAMP on the time zone,
 * strings on the result's character set (NULL: the column's own bytes). An empty sql_mode lets zero
 * dates stand in a WHERE clause. What a server allows applications' sessions is too short here: a table
 * without a key is one statement, and one side waits for the other.
 */
const SESSION = [
  `SET NAMES utf8mb4, SESSION character_set_results = NULL, SESSION time_zone = '+00:00',
     SESSION sql_mode = '', SESSION transaction_isolation = 'REPEATABLE-READ', SESSION net_write_timeout = 600,
     SESSION wait_timeout = 28800, SESSION max_execution_time = 0`,
] as const;

export interface Pair {
  readonly source: RawConnection;
  readonly target: RawConnection;
}

interface Both {
  readonly source: Endpoint;
  readonly target: Endpoint;
}

export async function withPair<T>(
  endpoints: Both,
  signal: AbortSignal,
  run: (pair: Pair) => Promise<T>,
): Promise<T> {
  return await withPairs(endpoints, 1, signal, async ([pair]) => await run(pair!));
}

/** At least one. All are opened at once: behind the fence every login is downtime. */
export async function withPairs<T>(
  endpoints: Both,
  count: number,
  signal: AbortSignal,
  run: (pairs: readonly Pair[]) => Promise<T>,
): Promise<T> {
  const open = async (endpoint: Endpoint) =>
    await openRawConnection(endpoint, { signal, session: SESSION });
  const opening = Array.from({ length: Math.max(1, count) }, () =>
    [endpoints.source, endpoints.target].map(open),
  );
  try {
    const opened = await Promise.all(opening.map(async (pair) => await Promise.all(pair)));
    return await run(opened.map(([source, target]) => ({ source: source!, target: target! })));
  } finally {
    for (const each of await Promise.allSettled(opening.flat()))
      if (each.status === 'fulfilled') await each.value.close();
  }
}
