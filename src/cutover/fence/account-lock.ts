import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { QualifiedName } from '../../mysql/identifier.ts';
import { displayName } from '../../mysql/identifier.ts';
import type { Coverage } from './cover.ts';
import { cover } from './cover.ts';
import type { FormerEvents } from './event-stop.ts';
import { EventStop } from './event-stop.ts';
import { describeFence } from './describe-fence.ts';
import type { AccountName, Fence, FenceContext, FenceProof, FenceState, Foreign } from './fence.ts';
import { assertKind } from './fence.ts';
import { couldWrite, proveByLogin } from './prove.ts';
import { runningEvents } from './running-events.ts';
import type { Session } from './sessions.ts';
import { endSession, listSessions } from './sessions.ts';
import {
  MARKER,
  asCommands,
  endWaitingStatements,
  optional,
  pause,
  runAwaited,
} from './statement.ts';
import type { Account } from './writers.ts';
import { displayAccount, keyOf, readAccounts } from './writers.ts';

export interface AccountLockState {
  readonly kind: 'account-lock';
  readonly foreign?: Foreign;
  /** Those that are to be locked, and whether they were. */
  readonly accounts: readonly (AccountName & { readonly locked: boolean })[];
  /** Only where events run and can be stopped. */
  readonly events?: FormerEvents;
}

/** An account by whose login nobody was stopped before may be let in by an earlier look at its lock. */
const LOOK_AGAIN_MS = 50;
/** Longer than an honest login takes. */
const LOGIN_WITHIN_MS = 2_000;

/** A login that began after the lock is refused by itself, and not to be ended or waited for. */
function mayGetIn({ thread, connecting }: Session, known: ReadonlySet<number>): boolean {
  return !connecting || known.has(thread);
}

function threadsOf(sessions: readonly Session[]): ReadonlySet<number> {
  return new Set(sessions.map(({ thread }) => thread));
}

/**
 * Locks every account that may write in the migrated schemas, and ends their sessions until none is
 * left. The migration's own accounts and the service's are left out; so are administrators that are not
 * named, who could unlock themselves and are the way out: they must not be logged in. Events run on whatever
 * becomes of their definer's account: on RDS their scheduler is stopped before, elsewhere they must not run.
 * Not stopped: the server's own replication applier and the commit of a prepared XA transaction (see
 * quiescence.ts).
 */
export class AccountLockFence implements Fence {
  readonly kind = 'account-lock';
  readonly stops = 'applications';
  readonly #context: FenceContext;
  readonly #account: Endpoint;
  readonly #events: 'must not run' | 'stopped otherwise';
  readonly #eventStop: EventStop | null;

  constructor(
    context: FenceContext,
    options: { readonly events: 'must not run' | 'stopped otherwise' } = { events: 'must not run' },
  ) {
    this.#context = context;
    this.#events = options.events;
    this.#account = context.account;
    this.#eventStop = context.rds === undefined ? null : new EventStop(context);
  }

  describe(): string {
    return describeFence(this.kind, this.#context.applicationAccounts);
  }

  async read(signal?: AbortSignal): Promise<AccountLockState> {
    const { covered, administrators } = await this.#look(signal);
    const accounts = covered.map(({ user, host, locked }) => ({ user, host, locked }));
    const open = accounts.filter(({ locked }) => !locked);
    const running = await this.#runningEvents(signal);
    const events =
      running.length > 0 && this.#eventStop !== null ? await this.#eventStop.read(signal) : null;
    const foreign =
      open.length === 0
        ? nothingToLock
        : running.length > 0 && events === null
          ? eventsRun(running)
          : (events?.foreign ?? (await this.#administratorsThere(administrators, signal)));
    return {
      kind: this.kind,
      accounts,
      ...(events !== null && { events }),
      ...(foreign !== undefined && { foreign }),
    };
  }

  async approach(former: FenceState, { signal }: { signal: AbortSignal }): Promise<void> {
    assertKind(former, this.kind);
    if (former.events !== undefined) await this.#eventStop?.stop(former.events, signal);
  }

  async raise(
    former: FenceState,
    { lockWaitMs, signal }: { lockWaitMs: number; signal: AbortSignal },
  ): Promise<void> {
    assertKind(former, this.kind);
    const deadline = performance.now() + lockWaitMs;
    const statement = alter(former, 'LOCK');
    if (statement !== null) {
      await runAwaited(this.#account, statement, {
        withinMs: lockWaitMs,
        signal,
        isDone: async () => await this.#hasState(former, () => true, signal),
      });
    }
    if (this.#context.restart !== undefined) {
      await this.#endByRestart(former, this.#context.restart, signal);
    }
    await withConnection(this.#account, { signal }, async (connection) => {
      let known: ReadonlySet<number> | null = null;
      for (;;) {
        const sessions = await this.#sessionsOf(connection, former.accounts);
        const before = (known ??= threadsOf(sessions));
        const left = sessions.filter((session) => mayGetIn(session, before));
        if (left.length === 0) return;
        if (performance.now() > deadline) throw stillThere(left.length, lockWaitMs);
        // One that cannot be told may be anybody's: it is waited for.
        for (const { thread } of left.filter(({ dying, user }) => !dying && user !== null))
          await endSession(connection, thread);
        await pause(20, signal);
      }
    });
  }

  /** Whoever is locked by now cannot come back. */
  async #endByRestart(
    former: AccountLockState,
    restart: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const left = await withConnection(this.#account, { signal }, (connection) =>
      this.#sessionsOf(connection, former.accounts),
    );
    if (left.length > 0) await restart(signal);
  }

  /** Every account that may write is locked and has no session, those that are new included. */
  async isRaised(signal?: AbortSignal): Promise<boolean> {
    return (await this.#whyNot(signal)) === null;
  }

  async prove(signal?: AbortSignal): Promise<FenceProof> {
    const why = await this.#whyNot(signal);
    if (why !== null) throw couldWrite(why);
    const { covered, administrators } = await this.#look(signal);
    const accounts = await Promise.all(
      covered.map(async (account) => ({
        account: displayAccount(account),
        by: await this.#proveAccount(account, signal),
      })),
    );
    const leftOut = administrators.map((account) => ({
      account: displayAccount(account),
      by: 'no session: an administrator, who could unlock itself and is not locked',
    }));
    return { kind: this.kind, accounts: [...accounts, ...leftOut] };
  }

  /** The lock is kept in the server's own tables. */
  async persist(): Promise<void> {}

  async lower(former: FenceState): Promise<void> {
    assertKind(former, this.kind);
    await endWaitingStatements(this.#account);
    const statement = alter(former, 'UNLOCK');
    if (statement !== null)
      await withConnection(this.#account, {}, async (connection) => {
        await connection.query(statement);
      });
    if (former.events !== undefined) await this.#eventStop?.start(former.events);
    if (await this.#hasState(former, ({ locked }) => locked)) return;
    throw new SkyferryFailure('NOT_QUIESCENT', 'accounts are not locked and open as they were', {
      safe: 'nothing was switched',
      next: this.unfenceCommand(former),
    });
  }

  unfenceCommand(former: FenceState): string {
    assertKind(former, this.kind);
    const statement = alter(former, 'UNLOCK');
    const unlock = asCommands(statement === null ? [] : [statement.replace(` ${MARKER}`, '')]);
    if (former.events === undefined || this.#eventStop === null) return unlock;
    return `${unlock} And: ${this.#eventStop.command(former.events)}`;
  }

  /** Whether accounts that are still there are locked as wanted. */
  async #hasState(
    former: AccountLockState,
    wanted: (account: AccountLockState['accounts'][number]) => boolean,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const now = await withConnection(this.#account, optional(signal), (c) =>
      readAccounts(c, this.#context.schemas),
    );
    const locked = new Map(now.map((account) => [keyOf(account), account.locked]));
    return former.accounts.every((account) => {
      const is = locked.get(keyOf(account));
      return is === undefined || is === wanted(account);
    });
  }

  async #whyNot(signal?: AbortSignal): Promise<string | null> {
    const { covered, forgotten, administrators } = await this.#look(signal);
    const open = [...covered, ...forgotten].filter(({ locked }) => !locked);
    if (open.length > 0) return `not locked, and may write: ${open.map(displayAccount).join(', ')}`;
    const events = await this.#runningEvents(signal);
    if (events.length > 0) return `events run on: ${events.map(displayName).join(', ')}`;
    const there = await this.#administratorsThere(administrators, signal);
    if (there !== undefined) return there.found;
    return await withConnection(this.#account, optional(signal), async (connection) => {
      const count = await this.#countSessions(connection, covered, signal);
      return count === 0 ? null : `${count} session(s) of locked accounts are still there`;
    });
  }

  /**
   * Applications go on trying to log in, and are refused: that is seen for a moment, and is no session. One
   * that began before the lock may be let in yet, so it is looked at until it stays or is gone.
   */
  async #countSessions(
    connection: Connection,
    covered: readonly AccountName[],
    signal?: AbortSignal,
  ): Promise<number> {
    let known: ReadonlySet<number> = new Set();
    const deadline = performance.now() + LOGIN_WITHIN_MS;
    for (let look = 1; ; look++) {
      const sessions = await this.#sessionsOf(connection, covered);
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

  async #administratorsThere(
    administrators: readonly Account[],
    signal?: AbortSignal,
  ): Promise<Foreign | undefined> {
    const users = new Set(administrators.map(({ user }) => user));
    const sessions = await withConnection(this.#account, optional(signal), listSessions);
    const there = sessions.flatMap(({ user }) => (user !== null && users.has(user) ? [user] : []));
    if (there.length === 0) return undefined;
    const who = [...new Set(there)].join(', ');
    return {
      found: `an administrator that may write is logged in to the source: ${who}`,
      fix: 'log it out, or name it in cutover.applicationAccounts, which locks it too; then approve again',
    };
  }

  async #look(signal?: AbortSignal): Promise<Coverage> {
    const { account, source, schemas, applicationAccounts } = this.#context;
    const all = await withConnection(account, optional(signal), (connection) =>
      readAccounts(connection, schemas),
    );
    return cover(all, [account.user, source.user], applicationAccounts);
  }

  async #runningEvents(signal?: AbortSignal): Promise<QualifiedName[]> {
    if (this.#events === 'stopped otherwise') return [];
    const { source, schemas } = this.#context;
    return await withConnection(source, optional(signal), (c) => runningEvents(c, schemas));
  }

  /** Those that cannot be told are among them: they run the program of somebody who may write. */
  async #sessionsOf(connection: Connection, accounts: readonly AccountName[]): Promise<Session[]> {
    const users = new Set(accounts.map(({ user }) => user));
    const sessions = await listSessions(connection);
    return sessions.filter(({ user }) => user === null || users.has(user));
  }

  async #proveAccount(account: AccountName, signal?: AbortSignal): Promise<string> {
    const login = this.#context.applicationAccounts.find((a) => keyOf(a) === keyOf(account))?.login;
    return login === undefined || login === null
      ? 'its lock; its secret is not known'
      : await proveByLogin(login, signal);
  }
}

/** Null when there is nothing to do. One statement: all of them or none. */
function alter({ accounts }: AccountLockState, what: 'LOCK' | 'UNLOCK'): string | null {
  const names = accounts
    .filter(({ locked }) => !locked)
    .map(({ user, host }) => `${quote(user)}@${quote(host)}`);
  if (names.length === 0) return null;
  return `ALTER ${MARKER} USER IF EXISTS ${names.join(', ')} ACCOUNT ${what}`;
}

/** As an identifier: what is within does not depend on the sql_mode, as it would in a string. */
function quote(text: string): string {
  return '`' + text.replaceAll('`', '``') + '`';
}

const nothingToLock: Foreign = {
  found: 'no account of the source that is not locked already may write in the migrated schemas',
  fix: 'name the applications in cutover.applicationAccounts, unlock what somebody else locked, and approve again',
};

function eventsRun(events: readonly { schema: string; name: string }[]): Foreign {
  return {
    found: `events go on writing whatever becomes of their definer's account: ${events.map(displayName).join(', ')}`,
    fix: 'SET GLOBAL event_scheduler = OFF on the source, on RDS in its parameter group; or the fence account-lock+rds-read-only; then approve again',
  };
}

function stillThere(count: number, withinMs: number): SkyferryFailure {
  return new SkyferryFailure(
    'NOT_QUIESCENT',
    `${count} session(s) of locked accounts did not end within ${withinMs} ms`,
    {
      safe: 'nothing was switched; the accounts are unlocked again',
      next: 'look for large transactions that are rolled back in SHOW PROCESSLIST, then approve again',
    },
  );
}
