import type { Endpoint } from '../mysql/endpoint.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import { openRawConnection } from '../mysql/open-raw-connection.ts';

/**
 * The same on both servers, because the text of a value depends on it: TIMESTAMP on the time zone,
 * strings on the result's character set (NULL: the column's own bytes). An empty sql_mode lets zero
 * dates stand in a WHERE clause.
 */
const SESSION = [
  'SET NAMES utf8mb4',
  'SET SESSION character_set_results = NULL',
  "SET SESSION time_zone = '+00:00', SESSION sql_mode = ''",
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'SET SESSION net_write_timeout = 600',
] as const;

export interface Pair {
  readonly source: RawConnection;
  readonly target: RawConnection;
}

export async function withPair<T>(
  endpoints: { source: Endpoint; target: Endpoint },
  signal: AbortSignal,
  run: (pair: Pair) => Promise<T>,
): Promise<T> {
  const source = await openRawConnection(endpoints.source, { signal, session: SESSION });
  try {
    const target = await openRawConnection(endpoints.target, { signal, session: SESSION });
    try {
      return await run({ source, target });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
