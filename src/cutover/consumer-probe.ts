import { SkyferryFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { describeEndpoint } from '../mysql/endpoint.ts';

/**
 * Logs in to the target as a consumer would and reads something harmless: it must see at least one
 * of the moved schemas, on a server that takes writes. Throws SWITCH_FAILED.
 */
export async function probeConsumer(
  account: Endpoint,
  schemas: readonly string[],
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const refuse = (what: string): SkyferryFailure =>
    new SkyferryFailure('SWITCH_FAILED', `${describeEndpoint(account)}: ${what}`, {
      next: 'give the account its login, grants and access on the target, then retry',
    });
  await withConnection(account, { signal }, async (connection) => {
    const visible = await connection.query<{ n: string }>(
      `SELECT schema_name AS n FROM information_schema.schemata
        WHERE LOWER(schema_name) IN (${schemas.map(() => '?').join(', ')})`,
      schemas.map((schema) => schema.toLowerCase()),
    );
    if (visible.length === 0) throw refuse('logs in, but sees none of the moved schemas');
    const [row] = await connection.query<{ r: number | string }>('SELECT @@GLOBAL.read_only AS r');
    if (Number(row?.r) !== 0) throw refuse('logs in, but the server takes no writes (read_only)');
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof SkyferryFailure && error.code !== 'SWITCH_FAILED') {
      throw refuse(`cannot log in and read (${error.code}, errno ${error.detail.errno ?? 'none'})`);
    }
    throw error;
  });
}
