import { setTimeout as delay } from 'node:timers/promises';
import type { Waiting } from '../../clouds/azure/operations.ts';
import { isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';

/** A restarted server may refuse logins for a while after its control plane calls it ready. */
const UNREACHABLE_MS = 300_000;
/** Warming is for speed alone; the window does not wait longer for it. */
const WARMING_MS = 600_000;
const ASK_AGAIN_MS = 1_000;

/** Until the server answers and has read the pages back that its buffer pool held before the restart. */
export async function waitUntilWarm(
  open: () => Promise<Connection>,
  { signal, onProgress }: Waiting,
): Promise<string> {
  await using connection = await openPatiently(open, { signal, onProgress });
  const since = Date.now();
  for (;;) {
    const status = await loadStatus(connection);
    if (!/^loaded|^loading/i.test(status)) return 'it answers';
    onProgress(`warming the buffer pool: ${status}`);
    if (Date.now() - since > WARMING_MS) return 'it answers; its buffer pool is still being warmed';
    await delay(ASK_AGAIN_MS, undefined, { signal });
  }
}

/** `Loaded 312/4096 pages` while it goes on, `Buffer pool(s) load completed at …` afterwards. */
async function loadStatus(connection: Connection): Promise<string> {
  const [row] = await connection.query<{ Value?: string }>(
    "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_load_status'",
  );
  return row?.Value ?? '';
}

async function openPatiently(
  open: () => Promise<Connection>,
  { signal, onProgress }: Waiting,
): Promise<Connection> {
  const since = Date.now();
  for (;;) {
    try {
      return await open();
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error) || !error.retryable || Date.now() - since > UNREACHABLE_MS) throw error;
      onProgress('waiting for the server to answer again');
      await delay(ASK_AGAIN_MS, undefined, { signal });
    }
  }
}
