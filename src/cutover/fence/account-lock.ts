import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { QualifiedName } from '../../mysql/identifier.ts';
import { displayName, quoteAccount } from '../../mysql/identifier.ts';
import type { Coverage } from './cover.ts';
import { cover } from './cover.ts';
import type { FormerEvents } from './event-stop.ts';
import { EventStop } from './event-stop.ts';
import { describeFence } from './describe-fence.ts';
import type { AccountName, Fence, FenceContext, FenceProof, FenceState, Foreign } from './fence.ts';
import { assertKind } from './fence.ts';
import { couldWrite, proveByLogin } from './prove.ts';
import { runningEvents } from './running-events.ts';
import {
  administratorIn,
  eventsRun,
  nothingToLock,
  sessionsLeft,
  wouldWriteOn,
} from './lock-refusals.ts';
import { countSessionsOf, endSessionsOf, sessionsOf } from './locked-sessions.ts';
import { MARKER, asCommands, endWaitingStatements, bounded, runAwaited } from './statement.ts';
import { displayAccount, keyOf, readAccounts } from './writers.ts';

export interface AccountLockState {
  readonly kind: 'account-lock';
  readonly foreign?: Foreign;
  /** Those that are to be locked, and whether they were. */
  readonly accounts: readonly (AccountName & { readonly locked: boolean })[];
  /** Only where events run and can be stopped. */
  readonly events?: FormerEvents;
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
    const { coverage, administrator } = await withConnection(
      this.#account,
      bounded(signal),
      async (connection) => await this.#look(connection),
    );
    const accounts = coverage.covered.map(({ user, host, locked }) => ({ user, host, locked }));
    const running = await this.#runningEvents(signal);
    const events =
      running.length > 0 && this.#eventStop !== null ? await this.#eventStop.read(signal) : null;
    const foreign = whyNotOurs(coverage, running, events) ?? events?.foreign ?? administrator;
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
        isDone: async () => await this.#hasState(former, 'locked', signal),
      });
    }
    if (this.#context.restart !== undefined) {
      await this.#endByRestart(former, this.#context.restart, signal);
    }
    const left = await endSessionsOf(former.accounts, this.#account, { deadline, signal });
    if (left > 0) throw sessionsLeft(left, lockWaitMs);
  }

  /** Whoever is locked by now cannot come back. */
  async #endByRestart(
    former: AccountLockState,
    restart: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const left = await withConnection(this.#account, { signal }, (connection) =>
      sessionsOf(connection, former.accounts),
    );
    if (left.length > 0) await restart(signal);
  }

  /** Every account that may write is locked and has no session, those that are new included. */
  async isRaised(signal?: AbortSignal): Promise<boolean> {
    return (await this.#see(signal)).why === null;
  }

  async prove(signal?: AbortSignal): Promise<FenceProof> {
    const { why, coverage } = await this.#see(signal);
    if (why !== null) throw couldWrite(why);
    const { covered, administrators } = coverage;
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

  async lower(former: FenceState): Promise<void> {
    assertKind(former, this.kind);
    await endWaitingStatements(this.#account);
    const statement = alter(former, 'UNLOCK');
    if (statement !== null)
      await withConnection(this.#account, bounded(), async (connection) => {
        await connection.query(statement);
      });
    if (former.events !== undefined) await this.#eventStop?.start(former.events);
    if (await this.#hasState(former, 'open')) return;
    throw new SkyferryFailure('NOT_QUIESCENT', 'accounts are locked that were open before', {
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

  /** Whether the accounts that this fence locks, as far as they are still there, are all of that state. */
  async #hasState(
    former: AccountLockState,
    wanted: 'locked' | 'open',
    signal?: AbortSignal,
  ): Promise<boolean> {
    const now = await withConnection(this.#account, bounded(signal), (c) =>
      readAccounts(c, this.#context.schemas),
    );
    const others = new Set(now.flatMap((a) => (a.locked === (wanted === 'locked') ? [] : [keyOf(a)]))); // prettier-ignore
    return !toLock(former).some((account) => others.has(keyOf(account)));
  }

  /** `why` it does not hold; null: it does. Logins are few: behind the fence each is downtime. */
  async #see(signal?: AbortSignal): Promise<{ coverage: Coverage; why: string | null }> {
    const [{ coverage, why }, events] = await Promise.all([
      withConnection(
        this.#account,
        bounded(signal),
        async (connection) => await this.#whoCouldWrite(connection, signal),
      ),
      this.#runningEvents(signal),
    ]);
    const running = `events run on: ${events.map(displayName).join(', ')}`;
    return { coverage, why: why ?? (events.length > 0 ? running : null) };
  }

  async #whoCouldWrite(
    connection: Connection,
    signal?: AbortSignal,
  ): Promise<{ coverage: Coverage; why: string | null }> {
    const { coverage, administrator } = await this.#look(connection);
    const open = [...coverage.covered, ...coverage.forgotten].filter(({ locked }) => !locked);
    if (open.length > 0) {
      const why = `not locked, and may write: ${open.map(displayAccount).join(', ')}`;
      return { coverage, why };
    }
    if (administrator !== undefined) return { coverage, why: administrator.found };
    const count = await countSessionsOf(coverage.covered, connection, signal);
    const why = count === 0 ? null : `${count} session(s) of locked accounts are still there`;
    return { coverage, why };
  }

  /** `administrator`: one that may write, and is logged in. */
  async #look(
    connection: Connection,
  ): Promise<{ coverage: Coverage; administrator: Foreign | undefined }> {
    const { account, source, schemas, applicationAccounts } = this.#context;
    const accounts = await readAccounts(connection, schemas);
    const coverage = cover(accounts, [account.user, source.user], applicationAccounts);
    const sessions = await sessionsOf(connection, coverage.administrators);
    const there = new Set(sessions.flatMap(({ user }) => (user === null ? [] : [user])));
    return { coverage, administrator: there.size === 0 ? undefined : administratorIn([...there]) };
  }

  async #runningEvents(signal?: AbortSignal): Promise<QualifiedName[]> {
    if (this.#events === 'stopped otherwise') return [];
    const { source, schemas } = this.#context;
    return await withConnection(source, bounded(signal), (c) => runningEvents(c, schemas));
  }

  async #proveAccount(account: AccountName, signal?: AbortSignal): Promise<string> {
    const login = this.#context.applicationAccounts.find((a) => keyOf(a) === keyOf(account))?.login;
    return login === undefined || login === null
      ? 'its lock; its secret is not known'
      : await proveByLogin(login, signal);
  }
}

function whyNotOurs(
  { covered, forgotten }: Coverage,
  running: readonly QualifiedName[],
  events: FormerEvents | null,
): Foreign | undefined {
  if (covered.every(({ locked }) => locked)) return nothingToLock;
  if (forgotten.length > 0) return wouldWriteOn(forgotten);
  return running.length > 0 && events === null ? eventsRun(running) : undefined;
}

function toLock({ accounts }: AccountLockState): AccountLockState['accounts'] {
  return accounts.filter(({ locked }) => !locked);
}

/** Null when there is nothing to do. One statement: all of them or none. */
function alter(former: AccountLockState, what: 'LOCK' | 'UNLOCK'): string | null {
  const names = toLock(former).map(({ user, host }) => quoteAccount(`${user}@${host}`));
  if (names.length === 0) return null;
  return `ALTER ${MARKER} USER IF EXISTS ${names.join(', ')} ACCOUNT ${what}`;
}
