import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { AccountName } from './fence.ts';
import type { Session } from './sessions.ts';
import { endSession, listSessions } from './sessions.ts';
import { pause } from './statement.ts';

/** An account by whose login nobody was stopped before may be let in by an earlier look at its lock. */
const LOOK_AGAIN_MS = 50;
/** Longer than an honest login takes. */
const LOGIN_WITHIN_MS = 2_000;
const ENDED_LOOK_AGAIN_MS = 20;
/** Each order waits for its answer, and the source may be far away. */
const AT_ONCE = 8;

/** Those that cannot be told are among them: they run the program of somebody who may write. */
export async function sessionsOf(
  connection: Connection,
  accounts: readonly AccountName[],
): Promise<Session[]> {
  const users = new Set(accounts.map(({ user }) => user));
  const sessions = await listSessions(connection);
  return sessions.filter(({ user }) => user === null || users.has(user));
}

/**
 * Ends the sessions of accounts that are locked by now, until none is left that could still write or get in.
 * Returns how many are left at the deadline (of `performance.now`).
 */
export async function endSessionsOf(
  accounts: readonly AccountName[],
  account: Endpoint,
  { deadline, signal }: { readonly deadline: number; readonly signal: AbortSignal },
): Promise<number> {
  return await withConnection(account, { signal }, async (connection) => {
    let known: ReadonlySet<number> | null = null;
    for (;;) {
      const sessions = await sessionsOf(connection, accounts);
      const before = (known ??= threadsOf(sessions));
      const left = sessions.filter((session) => mayGetIn(session, before));
      if (left.length === 0 || performance.now() > deadline) return left.length;
      // One that cannot be told may be anybody's: it is waited for.
      const ours = left.filter(({ dying, user }) => !dying && user !== null);
      await endAll(ours.map(({ thread }) => thread), connection, account, signal); // prettier-ignore
      await pause(ENDED_LOOK_AGAIN_MS, signal);
    }
  });
}

async function endAll(
  threads: readonly number[],
  connection: Connection,
  account: Endpoint,
  signal: AbortSignal,
): Promise<void> {
  const queue = [...threads];
  const end = async (by: Connection): Promise<void> => {
    for (let thread = queue.shift(); thread !== undefined; thread = queue.shift())
      await endSession(by, thread);
  };
  const more = Math.min(AT_ONCE, Math.ceil(threads.length / AT_ONCE)) - 1;
  await Promise.all([
    end(connection),
    ...Array.from({ length: more }, async () => await withConnection(account, { signal }, end)),
  ]);
}

/**
 * Applications go on trying to log in, and are refused: that is seen for a moment, and is no session. One
 * that began before the lock may be let in yet, so it is looked at until it stays or is gone.
 */
export async function countSessionsOf(
  accounts: readonly AccountName[],
  connection: Connection,
  signal?: AbortSignal,
): Promise<number> {
  let known: ReadonlySet<number> = new Set();
  const deadline = performance.now() + LOGIN_WITHIN_MS;
  for (let look = 1; ; look++) {
    const sessions = await sessionsOf(connection, accounts);
    const stayed = sessions.filter(({ thread }) => known.has(thread));
    const inside = stayed.filter(({ connecting }) => !connecting);
    if (inside.length > 0) return inside.length;
    const mayStay = sessions.some(({ connecting }) => !connecting) || stayed.length > 0;
    // One that logged in at the very moment of the lock may not have been there yet: at least twice.
    if ((look > 1 && !mayStay) || performance.now() > deadline) return stayed.length;
    known = threadsOf(sessions);
    await pause(LOOK_AGAIN_MS, signal);
  }
}

/** A login that began after the lock is refused by itself, and not to be ended or waited for. */
function mayGetIn({ thread, connecting }: Session, known: ReadonlySet<number>): boolean {
  return !connecting || known.has(thread);
}

function threadsOf(sessions: readonly Session[]): ReadonlySet<number> {
  return new Set(sessions.map(({ thread }) => thread));
}
