import { SkyferryFailure, isFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { describeEndpoint } from '../../mysql/endpoint.ts';
import { quoteIdentifier } from '../../mysql/identifier.ts';
import { bounded } from './statement.ts';

const ER_OPTION_PREVENTS_STATEMENT = 1290;
const ER_ACCOUNT_HAS_BEEN_LOCKED = 3118;

/**
 * A DELETE that could touch no row, of a table that need not be there: a read-only server refuses it
 * before it looks at either table or privileges. Throws NOT_QUIESCENT on every other answer.
 */
export async function proveByWrite(
  login: Endpoint,
  schema: string,
  signal?: AbortSignal,
): Promise<string> {
  const errno = await withConnection(login, bounded(signal), async (connection) =>
    errnoOf(
      connection.query(`DELETE FROM ${quoteIdentifier(schema)}.skyferry_fence_probe WHERE FALSE`),
    ),
  );
  signal?.throwIfAborted();
  if (errno !== ER_OPTION_PREVENTS_STATEMENT) {
    throw couldWrite(`${describeEndpoint(login)} was not refused a write`);
  }
  return 'a write that was refused (1290)';
}

/** Throws NOT_QUIESCENT on every other answer than that the account is locked. */
export async function proveByLogin(login: Endpoint, signal?: AbortSignal): Promise<string> {
  const errno = await errnoOf(withConnection(login, bounded(signal), async () => {}));
  signal?.throwIfAborted();
  if (errno !== ER_ACCOUNT_HAS_BEEN_LOCKED) {
    throw couldWrite(`${describeEndpoint(login)} was not refused its login as a locked account`);
  }
  return 'a login that was refused (3118)';
}

export function couldWrite(what: string): SkyferryFailure {
  return new SkyferryFailure('NOT_QUIESCENT', `the fence does not hold: ${what}`, {
    safe: 'nothing was switched; the fence is lowered again',
  });
}

async function errnoOf(run: Promise<unknown>): Promise<number | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (isFailure(error) && error.detail.errno !== undefined) return error.detail.errno;
    throw error;
  }
}
