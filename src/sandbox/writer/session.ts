import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { SkyferryFailure } from '../../failures.ts';
import { isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { Random } from '../sample/seed/random.ts';
import type { WriterContext } from './context.ts';
import type { Effect, LedgerKey } from './ledger/records.ts';
import { keyText } from './ledger/records.ts';
import { OwnRows } from './own-rows.ts';
import { SessionConnection } from './session-connection.ts';
import { pickKind } from './workload/kinds.ts';
import type { Kind } from './workload/kinds.ts';
import { leaveTrace } from './workload/money.ts';
import { Scope } from './workload/scope.ts';

const ROLLBACK_SHARE = 0.04;
/** Repeats of one transaction that fails for a reason that is no outage. */
const GIVE_UP_AFTER = 30;
const BACKOFF_MS = { first: 10, most: 200 } as const;
/** What a stopping writer still grants to a server that does not answer or take writes. */
const STOP_GRACE_MS = 5000;

/** read_only, read-only transaction mode, aborted by a shutdown: the server does not take writes now. */
const refusedWrites = new Set([1290, 1792, 1836, 3100, 3989]);

/** One transaction, the same at every attempt. */
interface Transaction {
  readonly key: LedgerKey;
  readonly kind: Kind;
  /** Given up on purpose at its end. */
  readonly rollsBack: boolean;
}

/**
 * One session of the application: a connection, one transaction after another. Whatever happens to
 * the connection, a transaction is repeated under the same sequence number until its outcome is
 * known; only then comes the next.
 */
export class WriterSession {
  readonly #context: WriterContext;
  readonly #number: number;
  readonly #own = new OwnRows();
  readonly #connection: SessionConnection;
  #seq = 0;

  constructor(context: WriterContext, number: number) {
    this.#context = context;
    this.#connection = new SessionConnection(context);
    this.#number = number;
  }

  async run(): Promise<void> {
    const { options, stop } = this.#context;
    const interval = (1000 * options.sessions) / options.rate;
    let due = performance.now() + (interval * this.#number) / options.sessions;
    while (!stop.aborted) {
      await delay(due - performance.now(), undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) break;
      await this.#transact();
      // A stall is not made up for by a burst.
      due = Math.max(due + interval, performance.now() - 1000);
    }
    await this.#connection.close();
  }

  /** Repeats until the outcome is known, or given up. */
  async #transact(): Promise<void> {
    const { counts, ledger, stop, outages } = this.#context;
    const transaction = this.#nextTransaction();
    const { key, kind } = transaction;
    let refusals = 0;
    let stoppingSince = 0;
    for (let attempt = 0; ; attempt += 1) {
      const startedAt = Date.now();
      try {
        const random = new Random(keyText(key), `effect ${refusals}`);
        const effect = await this.#attempt(transaction, random);
        if (effect !== null) this.#acknowledged(key, effect, startedAt);
        return;
      } catch (error) {
        if (!isFailure(error)) throw error;
        counts.retried += 1;
        const label = labelOf(error);
        counts.errors[label] = (counts.errors[label] ?? 0) + 1;
        if (isOutage(error)) {
          outages.failed(startedAt, this.#connection.endpoint, label);
          await this.#connection.close();
        } else if (error.code !== 'TRANSIENT' && (refusals += 1) >= GIVE_UP_AFTER) {
          counts.givenUp += 1;
          ledger.append({ type: 'given-up', ...key, kind: kind.name, error: label });
          return;
        }
        if (stop.aborted) {
          stoppingSince ||= Date.now();
          if (Date.now() - stoppingSince > STOP_GRACE_MS) return;
        }
        await backOff(attempt);
      }
    }
  }

  #nextTransaction(): Transaction {
    this.#seq += 1;
    const key = { writer: this.#context.writer, session: this.#number, seq: this.#seq };
    const choice = new Random(keyText(key), 'kind');
    const kind = pickKind(choice, this.#own);
    return { key, kind, rollsBack: choice.chance(ROLLBACK_SHARE) };
  }

  #acknowledged(key: LedgerKey, effect: Effect, startedAt: number): void {
    const { counts, ledger, outages } = this.#context;
    const endpoint = this.#connection.endpoint;
    ledger.append({ type: 'acknowledged', ...key, at: Date.now(), endpoint });
    this.#own.apply(effect.rows);
    outages.acknowledged(startedAt, endpoint);
    counts.acknowledged += 1;
    counts.kinds[effect.kind] = (counts.kinds[effect.kind] ?? 0) + 1;
  }

  /** null: rolled back on purpose. Throws when nothing of it was committed. */
  async #attempt(transaction: Transaction, random: Random): Promise<Effect | null> {
    const { key, rollsBack } = transaction;
    const startedAt = Date.now();
    const connection = await this.#connection.get(key);
    let effect: Effect;
    try {
      effect = await this.#connection.patiently(this.#perform(connection, transaction, random));
      if (rollsBack) {
        await this.#connection.patiently(connection.execute('ROLLBACK'));
        this.#context.counts.rolledBack += 1;
        return null;
      }
    } catch (error) {
      await this.#connection.abandon(connection);
      throw error;
    }
    this.#context.ledger.append({ type: 'intent', ...key, effect });
    try {
      await this.#connection.patiently(connection.execute('COMMIT'));
      return effect;
    } catch (error) {
      if (await this.#committedAfterAll(key, error, startedAt)) return effect;
      throw error;
    }
  }

  async #perform(
    connection: Connection,
    { key, kind, rollsBack }: Transaction,
    random: Random,
  ): Promise<Effect> {
    if (kind.readCommitted === true) {
      await connection.execute('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    }
    await connection.execute('START TRANSACTION');
    await connection.execute('SET @application_actor = ?', [keyText(key)]);
    const payload = payloadOf(key, random);
    const digest = createHash('sha256').update(payload).digest();
    await connection.execute(
      'UPDATE brokerage.writer_session SET last_seq = ? WHERE writer_id = ? AND session_no = ?',
      [key.seq, key.writer, key.session],
    );
    await connection.execute(
      'INSERT INTO brokerage.ledger_entry (writer_id, session_no, seq, kind, digest, payload) VALUES (?, ?, ?, ?, ?, ?)',
      [key.writer, key.session, rollsBack ? 0 : key.seq, kind.name, digest, payload],
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
    if (rollsBack) await leaveTrace(scope);
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
    await this.#connection.close();
    if (isFailure(cause)) {
      outages.failed(startedAt, this.#connection.endpoint, labelOf(cause));
    }
    for (let attempt = 0; ; attempt += 1) {
      try {
        const connection = await this.#connection.get(key);
        const committed = await this.#connection.patiently(isCommitted(connection, key));
        ledger.append({ type: 'resolved', ...key, committed, endpoint: this.#connection.endpoint });
        return committed;
      } catch (error) {
        if (!isFailure(error)) throw error;
        outages.failed(startedAt, this.#connection.endpoint, labelOf(error));
        await this.#connection.close();
        // Left as unknown in the ledger: the verifier looks for all of it or nothing.
        if (stop.aborted && Date.now() - since > STOP_GRACE_MS) throw new Unresolved();
        await backOff(attempt);
      }
    }
  }
}

/** The writer stops and the last outcome of a session could not be learnt. */
export class Unresolved extends Error {}

function payloadOf(key: LedgerKey, random: Random): Buffer {
  const filler = random.bytes(random.chance(0.05) ? 1500 : random.integer(0, 100));
  return Buffer.concat([Buffer.from(`${keyText(key)} `), filler]);
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

function labelOf({ code, detail }: SkyferryFailure): string {
  return String(detail.errno ?? code);
}

async function backOff(attempt: number): Promise<void> {
  await delay(Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(attempt, 10)));
}
