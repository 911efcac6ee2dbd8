import { withConnection } from '../../mysql/connection.ts';
import { displayName } from '../../mysql/identifier.ts';
import type { FenceContext, Foreign, ProvedAccount } from './fence.ts';
import { couldWrite, proveByWrite } from './prove.ts';
import { listSessions } from './sessions.ts';
import { bounded, pause } from './statement.ts';
import type { Account } from './writers.ts';
import { displayAccount, keyOf, readAccounts } from './writers.ts';

/** read_only stops who holds neither CONNECTION_ADMIN nor SUPER; what it refuses is 1290, a commit as well. */
export async function isReadOnly(
  { account }: Pick<FenceContext, 'account'>,
  signal?: AbortSignal,
): Promise<boolean> {
  return await withConnection(account, bounded(signal), async (connection) => {
    const [row] = await connection.query<{ r: number | string }>('SELECT @@GLOBAL.read_only AS r');
    return Number(row?.r) === 1;
  });
}

const POLL_MS = 250;

/** Whether it came to be so within the time. */
export async function becomesReadOnly(
  context: Pick<FenceContext, 'account'>,
  wanted: boolean,
  withinMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if ((await isReadOnly(context, signal)) === wanted) return true;
    if (performance.now() > deadline) return false;
    await pause(POLL_MS, signal);
  }
}

/** Whose fence it is cannot be told: putting it "back" would leave the source without writes. */
export const alreadyReadOnly: Foreign = {
  found: 'the source is read_only already, and not by this cutover',
  fix: 'find out who made it read-only, let them lift it, and approve again',
};

/** Null when the server is read-only, and nobody whom that does not stop is logged in. */
export async function whyNotReadOnly(
  context: FenceContext,
  signal?: AbortSignal,
): Promise<string | null> {
  if (!(await isReadOnly(context, signal))) return 'read_only is not ON';
  const users = new Set((await bypassing(context, signal)).map(({ user }) => user));
  const sessions = await withConnection(context.account, bounded(signal), (connection) =>
    listSessions(connection),
  );
  const there = new Set(
    sessions.flatMap(({ user }) => (user !== null && users.has(user) ? [user] : [])),
  );
  return there.size === 0
    ? null
    : `read_only does not stop ${[...there].join(', ')}, with CONNECTION_ADMIN or SUPER, who is logged in`;
}

export async function proveReadOnly(
  context: FenceContext,
  signal?: AbortSignal,
): Promise<ProvedAccount[]> {
  const why = await whyNotReadOnly(context, signal);
  if (why !== null) throw couldWrite(why);
  const [schema = ''] = context.schemas;
  const left = await bypassing(context, signal);
  const free = new Set(left.map(keyOf));
  const named = context.applicationAccounts.filter((account) => !free.has(keyOf(account)));
  return [
    ...(await Promise.all(
      named.map(async (account) => ({
        account: displayAccount(account),
        by:
          account.login === null
            ? 'read_only, and neither CONNECTION_ADMIN nor SUPER; its secret is not known'
            : await proveByWrite(account.login, schema, signal),
      })),
    )),
    ...left.map((account) => ({
      account: displayAccount(account),
      by: 'no session: read_only does not stop it',
    })),
  ];
}

/** Programs run with their definer's rights: what somebody with CONNECTION_ADMIN defined writes on. */
export async function programsThatBypass(
  { account, source, schemas }: FenceContext,
  signal?: AbortSignal,
): Promise<Foreign | undefined> {
  const accounts = await withConnection(account, bounded(signal), (connection) =>
    readAccounts(connection, schemas),
  );
  const definers = new Set(
    accounts.filter(({ bypassesReadOnly }) => bypassesReadOnly).map(displayAccount),
  );
  const programs = await withConnection(source, bounded(signal), (connection) =>
    connection.query<{ s: string; n: string; definer: string }>(
      `SELECT routine_schema AS s, routine_name AS n, definer AS definer FROM information_schema.routines
        WHERE security_type = 'DEFINER' AND routine_schema NOT IN ('mysql', 'sys')
       UNION ALL
       SELECT event_schema, event_name, definer FROM information_schema.events WHERE status = 'ENABLED'`,
    ),
  );
  const free = programs.filter(({ definer }) => definers.has(definer));
  if (free.length === 0) return undefined;
  const names = free.map(({ s, n }) => displayName({ schema: s, name: n })).join(', ');
  return {
    found: `programs of a definer with CONNECTION_ADMIN write on under read_only: ${names}`,
    fix: 'give them another definer, or choose account-lock; then approve again',
  };
}

async function bypassing(
  { account, source, schemas }: FenceContext,
  signal?: AbortSignal,
): Promise<Account[]> {
  const own = [account.user, source.user];
  const accounts = await withConnection(account, bounded(signal), (connection) =>
    readAccounts(connection, schemas),
  );
  return accounts.filter(
    ({ user, writes, bypassesReadOnly, locked }) =>
      writes && bypassesReadOnly && !locked && !own.includes(user),
  );
}
