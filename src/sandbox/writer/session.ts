import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { SkyferryFailure } from '../../failures.ts';
import { isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { openConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { Random } from '../sample/seed/random.ts';
import type { ConnectionWatch } from './connection-file.ts';
import { readConnectionFile } from './connection-file.ts';
import type { LedgerFile } from './ledger/ledger-file.ts';
import type { Effect, LedgerKey } from './ledger/records.ts';
import type { WriterOptions } from './options.ts';
import type { OutageClock } from './outage-clock.ts';
import { OwnRows } from './own-rows.ts';
import { pickKind } from './workload/kinds.ts';
import type { Kind } from './workload/kinds.ts';
import { leaveTrace } from './workload/money.ts';
import type { SharedRows } from './workload/scope.ts';
import { Scope } from './workload/scope.ts';

/** What the sessions of one writer have in common. */
export interface WriterContext {
  readonly writer: string;
  readonly options: WriterOptions;
  readonly ledger: LedgerFile;
  readonly watch: ConnectionWatch;
  readonly outages: OutageClock;
  readonly shared: SharedRows;
  readonly counts: WriterCounts;
  /** Stop once what is in flight has an outcome. */
  readonly stop: AbortSignal;
}

export interface WriterCounts {
  acknowledged: number;
  rolledBack: number;
  retried: number;
  unknown: number;
  givenUp: number;
  surprises: number;
  reconnected: number;
  readonly kinds: Record<string, number>;
  readonly errors: Record<string, number>;
}

const ROLLBACK_SHARE = 0.04;
/** Repeats of one transaction that fails for a reason that is no outage. */
const GIVE_UP_AFTER = 30;
const BACKOFF_MS = { first: 10, most: 200 } as const;
/** What a stopping writer still grants to a server that does not answer or take writes. */
const STOP_GRACE_MS = 5000;

/** read_only, read-only transaction mode, aborted by a shutdown: the server does not take writes now. */
const refusedWrites = new Set([1290, 1792, 1836, 3100, 3989]);

/**
 * One session of the application: a connection, one transaction after another. Whatever happens to
 * the connection, a transaction is repeated under the same sequence number until its outcome is
 * known; only then comes the next.
 */
export class WriterSession {
  readonly #context: WriterContext;
  readonly #number: number;
  readonly #own = new OwnRows();
  #connection: { link: Connection; endpoint: string; generation: number } | null = null;
  #lastEndpoint = '?';
  #seq = 0;

  constructor(context: WriterContext, number: number) {
    this.#context = context;
    this.#number = number;
  }

  async run(): Promise<void> {
    const { options, stop } = this.#context;
    const interval = (1000 * options.sessions) / options.rate;
    let due = performance.now() + (interval * this.#number) / options.sessions;
    while (!stop.aborted) {
      await delay(due - performance.now(), undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) break;
      this.#seq += 1;
      await this.#transact();
      // A stall is not made up for by a burst.
      due = Math.max(due + interval, performance.now() - 1000);
    }
    await this.#disconnect();
  }

  /** Repeats until the outcome is known, or given up. */
  async #transact(): Promise<void> {
    const { counts, ledger, stop } = this.#context;
    const key: LedgerKey = { writer: this.#context.writer, session: this.#number, seq: this.#seq };
    const seed = `${key.writer}/${key.session}/${key.seq}`;
    const choice = new Random(seed, 'kind');
    const kind = pickKind(choice, this.#own);
    const rollBack = choice.chance(ROLLBACK_SHARE);
    let refusals = 0;
    let stoppingSince = 0;
    for (let attempt = 0; ; attempt += 1) {
      const startedAt = Date.now();
      try {
        const effect = await this.#attempt(
          key,
          kind,
          new Random(seed, `effect ${refusals}`),
          rollBack,
        );
        if (effect !== null) this.#acknowledged(key, effect, startedAt);
        return;
      } catch (error) {
        if (!isFailure(error)) throw error;
        counts.retried += 1;
        const label = String(error.detail.errno ?? error.code);
        counts.errors[label] = (counts.errors[label] ?? 0) + 1;
        if (isOutage(error)) {
          this.#context.outages.failed(startedAt, this.#endpoint(), label);
          await this.#disconnect();
        } else if (error.code !== 'TRANSIENT' && (refusals += 1) >= GIVE_UP_AFTER) {
          counts.givenUp += 1;
          ledger.append({ type: 'given-up', ...key, kind: kind.name, error: label });
          return;
        }
        if (stop.aborted) {
          stoppingSince ||= Date.now();
          if (Date.now() - stoppingSince > STOP_GRACE_MS) return;
        }
        await delay(Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(attempt, 10)));
      }
    }
  }

  #acknowledged(key: LedgerKey, effect: Effect, startedAt: number): void {
    const { counts, ledger, outages } = this.#context;
    const endpoint = this.#endpoint();
    ledger.append({ type: 'acknowledged', ...key, at: Date.now(), endpoint });
    this.#own.apply(effect.rows);
    outages.acknowledged(startedAt, endpoint);
    counts.acknowledged += 1;
    counts.kinds[effect.kind] = (counts.kinds[effect.kind] ?? 0) + 1;
  }

  /** null: rolled back on purpose. Throws when nothing of it was committed. */
  async #attempt(
    key: LedgerKey,
    kind: Kind,
    random: Random,
    rollBack: boolean,
  ): Promise<Effect | null> {
    const startedAt = Date.now();
    const connection = await this.#connect(key);
    let effect: Effect;
    try {
      effect = await this.#patiently(this.#perform(connection, key, kind, random, rollBack));
      if (rollBack) {
        await this.#patiently(connection.execute('ROLLBACK'));
        this.#context.counts.rolledBack += 1;
        return null;
      }
    } catch (error) {
      await this.#abandon(connection);
      throw error;
    }
    this.#context.ledger.append({ type: 'intent', ...key, effect });
    try {
      await this.#patiently(connection.execute('COMMIT'));
      return effect;
    } catch (error) {
      if (await this.#committedAfterAll(key, error, startedAt)) return effect;
      throw error;
    }
  }

  async #perform(
    connection: Connection,
    key: LedgerKey,
    kind: Kind,
    random: Random,
    rollBack: boolean,
  ): Promise<Effect> {
    if (kind.readCommitted === true) {
      await connection.execute('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    }
    await connection.execute('START TRANSACTION');
    await connection.execute('SET @application_actor = ?', [actorOf(key)]);
    const payload = payloadOf(key, random);
    const digest = createHash('sha256').update(payload).digest();
    await connection.execute(
      'UPDATE brokerage.writer_session SET last_seq = ? WHERE writer_id = ? AND session_no = ?',
      [key.seq, key.writer, key.session],
    );
    await connection.execute(
      'INSERT INTO brokerage.ledger_entry (writer_id, session_no, seq, kind, digest, payload) VALUES (?, ?, ?, ?, ?, ?)',
      [key.writer, key.session, rollBack ? 0 : key.seq, kind.name, digest, payload],
    );
    const [row] = await connection.query('SELECT LAST_INSERT_ID() AS id');
    const scope = new Scope({
      connection,
      random,
      own: this.#own,
      shared: this.#context.shared,
      prefix: `w${key.writer.slice(0, 8)}s${key.session}`,
      seq: key.seq,
      entry: String(row?.['id']),
    });
    await kind.run(scope);
    if (rollBack) await leaveTrace(scope);
    const effect = await scope.effect(kind.name, digest.toString('hex'));
    this.#context.counts.surprises += scope.surprises.length;
    for (const surprise of scope.surprises) {
      this.#context.ledger.append({ type: 'surprise', ...key, ...surprise });
    }
    return effect;
  }

  /**
   * The reply to COMMIT did not come or was an error: looks the transaction up. Takes the lock that
   * the transaction itself held, so a commit that is still under way on the server is waited for;
   * and a lock can be had only where writes are taken, so never on a source that is already fenced.
   */
  async #committedAfterAll(key: LedgerKey, cause: unknown, startedAt: number): Promise<boolean> {
    const { counts, ledger, outages, stop } = this.#context;
    counts.unknown += 1;
    ledger.append({ type: 'unknown', ...key, at: Date.now() });
    const since = Date.now();
    await this.#disconnect();
    if (isFailure(cause)) outages.failed(startedAt, this.#endpoint(), String(cause.detail.errno ?? cause.code)); // prettier-ignore
    for (let attempt = 0; ; attempt += 1) {
      try {
        const connection = await this.#connect(key);
        const committed = await this.#patiently(isCommitted(connection, key));
        ledger.append({ type: 'resolved', ...key, committed, endpoint: this.#endpoint() });
        return committed;
      } catch (error) {
        if (!isFailure(error)) throw error;
        outages.failed(startedAt, this.#endpoint(), String(error.detail.errno ?? error.code));
        await this.#disconnect();
        // Left as unknown in the ledger: the verifier looks for all of it or nothing.
        if (stop.aborted && Date.now() - since > STOP_GRACE_MS) throw new Unresolved();
        await delay(Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(attempt, 10)));
      }
    }
  }

  /** The present connection, or a new one to where the connection file points now. */
  async #connect(key: LedgerKey): Promise<Connection> {
    const { options, watch, counts } = this.#context;
    const { generation } = watch;
    if (this.#connection !== null && this.#connection.generation !== generation) {
      await this.#disconnect();
    }
    if (this.#connection !== null) return this.#connection.link;
    const endpoint = await readConnectionFile(options);
    this.#lastEndpoint = addressOf(endpoint);
    const link = await openConnection(endpoint, {
      session: ["SET time_zone = '+00:00', NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci"],
    });
    counts.reconnected += 1;
    this.#connection = { link, endpoint: this.#lastEndpoint, generation };
    await this.#patiently(
      link.execute('INSERT IGNORE INTO brokerage.writer_session VALUES (?, ?, ?)', [
        key.writer,
        key.session,
        0,
      ]),
    );
    return link;
  }

  #endpoint(): string {
    return this.#connection?.endpoint ?? this.#lastEndpoint;
  }

  /** After a failed statement: back to a clean session, or none. */
  async #abandon(connection: Connection): Promise<void> {
    try {
      await this.#patiently(connection.execute('ROLLBACK'));
    } catch {
      await this.#disconnect();
    }
  }

  async #disconnect(): Promise<void> {
    const link = this.#connection?.link;
    this.#connection = null;
    if (link === undefined) return;
    const timer = setTimeout(() => link.destroy(), 500);
    await link.close();
    clearTimeout(timer);
  }

  /** An application does not wait for ever on a connection whose other end is gone. */
  async #patiently<T>(work: Promise<T>): Promise<T> {
    const { statementTimeoutMs } = this.#context.options;
    const timer = setTimeout(() => this.#connection?.link.destroy(), statementTimeoutMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The writer stops and the last outcome of a session could not be learnt. */
export class Unresolved extends Error {}

export function actorOf({ writer, session, seq }: LedgerKey): string {
  return `${writer}/${session}/${seq}`;
}

function payloadOf(key: LedgerKey, random: Random): Buffer {
  const filler = random.bytes(random.chance(0.05) ? 1500 : random.integer(0, 100));
  return Buffer.concat([Buffer.from(`${actorOf(key)} `), filler]);
}

async function isCommitted(connection: Connection, key: LedgerKey): Promise<boolean> {
  await connection.execute('START TRANSACTION');
  try {
    await connection.query(
      'SELECT last_seq FROM brokerage.writer_session WHERE writer_id = ? AND session_no = ? FOR UPDATE',
      [key.writer, key.session],
    );
    const [row] = await connection.query(
      'SELECT COUNT(*) AS found FROM brokerage.ledger_entry WHERE writer_id = ? AND session_no = ? AND seq = ?',
      [key.writer, key.session, key.seq],
    );
    return Number(row?.['found']) > 0;
  } finally {
    await connection.execute('ROLLBACK');
  }
}

function isOutage(error: SkyferryFailure): boolean {
  return (
    error.code === 'CONNECTION_LOST' ||
    error.code === 'ACCESS_DENIED' ||
    // The connection file is being replaced, or wrong: an application tries again.
    error.code === 'CONFIG_INVALID' ||
    error.detail.errno === 1040 ||
    (error.detail.errno !== undefined && refusedWrites.has(error.detail.errno))
  );
}

function addressOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
