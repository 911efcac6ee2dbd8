import { withConnection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * Ends a session of the same account whose client has gone: what it runs or waits for would be executed
 * all the same. Never throws: it may have ended by itself, or the server cannot be reached.
 */
export async function killSession(endpoint: Endpoint, threadId: number): Promise<void> {
  await withConnection(endpoint, {}, async (connection) => {
    await connection.execute('KILL ?', [threadId]);
  }).catch(() => {});
}
