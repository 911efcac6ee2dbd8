import { randomInt } from 'node:crypto';
import { isFailure } from '../failures.ts';
import { readBinlog } from '../mysql/binlog/read-binlog.ts';
import { assembleTransactions } from '../mysql/binlog/transactions.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { GtidSet } from '../mysql/gtid-set.ts';
import { displayName, spelledOn } from '../mysql/identifier.ts';
import type { TargetPosition } from './journal.ts';

const HEARTBEAT_MS = 1000;

/**
 * Whether the target has certainly taken no write since a position, and nobody who could write is
 * logged in: null when that is proved, else why it is not. Whatever cannot be seen is not proved.
 */
export async function whyTargetMayHaveWrites(
  job: {
    readonly target: Endpoint;
    readonly catalog: Catalog;
    readonly lctn: number;
    /** null: a consumer whose account is not known. */
    readonly accounts: readonly (Endpoint | null)[];
  },
  since: TargetPosition | undefined,
  signal: AbortSignal,
): Promise<string | null> {
  if (since === undefined) return 'the position of the target at the switch is not known';
  if (job.accounts.includes(null)) return 'the account of a consumer is not configured';
  try {
    return (await whoIsLoggedIn(job, signal)) ?? (await whatWasWritten(job, since, signal));
  } catch (error) {
    signal.throwIfAborted();
    return `it cannot be seen on the target (${isFailure(error) ? error.code : 'unknown error'})`;
  }
}

async function whoIsLoggedIn(
  { target, accounts }: { target: Endpoint; accounts: readonly (Endpoint | null)[] },
  signal: AbortSignal,
): Promise<string | null> {
  const users = new Set(accounts.map((account) => account?.user));
  return await withConnection(target, { signal }, async (connection) => {
    const mayLook = await connection.query(
      `SELECT 1 FROM information_schema.user_privileges WHERE PRIVILEGE_TYPE = 'PROCESS'
          AND GRANTEE = CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@',
                               QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))`,
    );
    if (mayLook.length === 0) return 'without PROCESS the sessions of the target cannot be seen';
    const sessions = await connection.query<{ User: string }>('SHOW PROCESSLIST');
    return sessions.some(({ User }) => users.has(User))
      ? 'a consumer is logged in to the target'
      : null;
  });
}

async function whatWasWritten(
  { target, catalog, lctn }: { target: Endpoint; catalog: Catalog; lctn: number },
  since: TargetPosition,
  signal: AbortSignal,
): Promise<string | null> {
  const migrated = new Set(catalog.tables.map(({ name }) => displayName(spelledOn(name, lctn))));
  let written: string | null = null;
  const stop = (what: string): 'stop' => {
    written = what;
    return 'stop';
  };
  await readBinlog(
    {
      source: target,
      serverId: randomInt(0x6000_0000, 0x7fff_0000),
      from: GtidSet.parse(since.gtidSet),
      heartbeatMs: HEARTBEAT_MS,
      signal,
      untilEnd: true,
    },
    assembleTransactions({
      wants: ({ name }) => migrated.has(displayName(name)),
      rows: () => stop('the target has taken writes'),
      statement: () => stop('a statement was run on the target'),
      commit: () => undefined,
    }),
  );
  return written;
}
