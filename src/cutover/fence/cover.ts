import type { AccountName } from './fence.ts';
import type { Account } from './writers.ts';
import { keyOf } from './writers.ts';

export interface Coverage {
  /** To be locked, or locked already. */
  readonly covered: readonly Account[];
  /** May write, and the configuration does not name them. */
  readonly forgotten: readonly Account[];
  /** May write and unlock themselves: not locked unless they are named, and not to be logged in. */
  readonly administrators: readonly Account[];
}

/**
 * The accounts that the lock stops: those that are named, else all that may write. The process list says
 * under which name a session logged in, not under which of that name's hosts, so all hosts of a name are
 * covered together; an anonymous account has no name there and is never covered.
 */
export function cover(
  accounts: readonly Account[],
  own: readonly string[],
  named: readonly AccountName[],
): Coverage {
  const others = accounts.filter(({ user }) => !own.includes(user));
  const writers = others.filter(({ writes }) => writes);
  const names = new Set(named.map(keyOf));
  const users = new Set(
    (named.length === 0
      ? writers.filter(({ administers }) => !administers)
      : others.filter((account) => names.has(keyOf(account)))
    ).map(({ user }) => user),
  );
  users.delete('');
  const left = writers.filter(({ user, locked }) => !users.has(user) && !locked);
  return {
    covered: others.filter(({ user }) => users.has(user)),
    forgotten: left.filter(({ administers }) => !administers),
    administrators: left.filter(({ administers }) => administers),
  };
}
