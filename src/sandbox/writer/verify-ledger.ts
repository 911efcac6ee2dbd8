import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { Ledger, LedgerTransaction } from './ledger/ledger-file.ts';
import { keyText, readLedger } from './ledger/ledger-file.ts';
import type { Outage } from './ledger/records.ts';
import { actorOf } from './session.ts';
import type { WatchedName } from './watched-tables.ts';
import { readDigests } from './watched-tables.ts';

export interface LedgerVerdict {
  /** True when nothing acknowledged is missing, doubled or altered, and nothing else is there. */
  readonly ok: boolean;
  readonly acknowledged: number;
  /** Outcome never learnt: on the database wholly or not at all, either is right. */
  readonly unknown: { readonly committed: number; readonly absent: number };
  /** Transactions of which something (or all) is not there. */
  readonly missing: number;
  /** Transactions of which something is there more than once. */
  readonly doubled: number;
  /** On the database, but never committed as far as the application knows. */
  readonly unexpected: number;
  /** Rows or balances with other contents than follow from the ledger; surprises at run time too. */
  readonly altered: number;
  /** Given up by the application: the database refused them for a reason that is no outage. */
  readonly givenUp: number;
  readonly rowsCompared: number;
  readonly balancesCompared: number;
  readonly outages: readonly Outage[];
  /** What is wrong, by keys and never by values; the first hundred. */
  readonly problems: readonly string[];
}

const LISTED_PROBLEMS = 100;

/** Compares a database at rest with one or several ledger files of the writers that wrote to it. */
export async function verifyLedger(
  target: Endpoint,
  ledgerFiles: string | readonly string[],
): Promise<LedgerVerdict> {
  const ledger = await readLedger(typeof ledgerFiles === 'string' ? [ledgerFiles] : ledgerFiles);
  const session = ["SET time_zone = '+00:00', NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci"];
  return await withConnection(target, { session }, async (connection) => {
    const found = new Findings();
    const entries = await readEntries(connection, ledger.writers);
    const committed = compareEntries(ledger, entries, found);
    await comparePostings(connection, ledger, committed, found);
    await compareAudits(connection, ledger, committed, found);
    const rowsCompared = await compareRows(connection, committed, found);
    const balancesCompared = await compareBalances(connection, ledger, found);
    await findRolledBackTraces(connection, ledger, found);
    for (const { table, key, found: kind } of ledger.surprises) {
      found.add('altered', `${table} ${key} was ${kind} when the application came back to it`);
    }
    const acknowledged = ledger.transactions.filter((t) => t.state === 'acknowledged').length;
    const unknown = ledger.transactions.length - acknowledged;
    const present = committed.filter((t) => t.state === 'unknown').length;
    return {
      ok: found.none && acknowledged > 0 && ledger.givenUp.length === 0,
      acknowledged,
      unknown: { committed: present, absent: unknown - present },
      ...found.counts(),
      givenUp: ledger.givenUp.length,
      rowsCompared,
      balancesCompared,
      outages: ledger.outages,
      problems: found.problems,
    };
  });
}

type Kind = 'missing' | 'doubled' | 'unexpected' | 'altered';

class Findings {
  readonly problems: string[] = [];
  readonly #subjects: Record<Kind, Set<string>> = {
    missing: new Set(),
    doubled: new Set(),
    unexpected: new Set(),
    altered: new Set(),
  };

  /** One subject counts once for each kind, whatever else is wrong with it. */
  add(kind: Kind, problem: string, subject = problem): void {
    this.#subjects[kind].add(subject);
    if (this.problems.length < LISTED_PROBLEMS) this.problems.push(`${kind}: ${problem}`);
  }

  get none(): boolean {
    return Object.values(this.#subjects).every((subjects) => subjects.size === 0);
  }

  counts(): Record<Kind, number> {
    return {
      missing: this.#subjects.missing.size,
      doubled: this.#subjects.doubled.size,
      unexpected: this.#subjects.unexpected.size,
      altered: this.#subjects.altered.size,
    };
  }
}

interface Entry {
  readonly key: string;
  readonly kind: string;
  readonly digest: string;
  readonly payloadDigest: string;
}

async function readEntries(connection: Connection, writers: readonly string[]): Promise<Entry[]> {
  if (writers.length === 0) return [];
  const rows = await connection.query(
    `SELECT writer_id, session_no, seq, kind, LOWER(HEX(digest)) AS digest, SHA2(payload, 256) AS payload_digest
     FROM brokerage.ledger_entry WHERE writer_id IN (${writers.map(() => '?').join(', ')})`,
    [...writers],
  );
  return rows.map((row) => ({
    key: `${String(row['writer_id'])}/${String(row['session_no'])}/${String(row['seq'])}`,
    kind: String(row['kind']),
    digest: String(row['digest']),
    payloadDigest: String(row['payload_digest']),
  }));
}

/** Returns the transactions that are (to be) on the database, in the order of each session. */
function compareEntries(
  ledger: Ledger,
  entries: readonly Entry[],
  found: Findings,
): LedgerTransaction[] {
  const byKey = new Map<string, Entry[]>();
  for (const entry of entries) byKey.set(entry.key, [...(byKey.get(entry.key) ?? []), entry]);
  const committed: LedgerTransaction[] = [];
  for (const transaction of ledger.transactions) {
    const key = keyText(transaction);
    const present = byKey.get(key) ?? [];
    byKey.delete(key);
    if (present.length === 0 && transaction.state === 'unknown') continue;
    committed.push(transaction);
    if (present.length === 0) found.add('missing', `ledger entry ${key}`, key);
    if (present.length > 1) found.add('doubled', `ledger entry ${key}`, key);
    const { kind, digest } = transaction.effect;
    for (const entry of present) {
      if (entry.kind !== kind || entry.digest !== digest || entry.payloadDigest !== digest) {
        found.add('altered', `ledger entry ${key}`, key);
      }
    }
  }
  for (const key of byKey.keys()) found.add('unexpected', `ledger entry ${key}`, key);
  return committed;
}

async function comparePostings(
  connection: Connection,
  ledger: Ledger,
  committed: readonly LedgerTransaction[],
  found: Findings,
): Promise<void> {
  const rows = await connection.query(
    `SELECT e.writer_id, e.session_no, e.seq, p.account_id, p.amount
     FROM brokerage.ledger_entry e JOIN brokerage.posting p ON p.entry_id = e.id
     WHERE e.writer_id IN (${ledger.writers.map(() => '?').join(', ') || 'NULL'})
     ORDER BY e.id, p.line_no`,
    [...ledger.writers],
  );
  const present = new Map<string, string[]>();
  for (const row of rows) {
    const key = `${String(row['writer_id'])}/${String(row['session_no'])}/${String(row['seq'])}`;
    const posting = `${String(row['account_id'])} ${plainDecimal(String(row['amount']))}`;
    present.set(key, [...(present.get(key) ?? []), posting]);
  }
  for (const transaction of committed) {
    const key = keyText(transaction);
    const wanted = transaction.effect.postings.map(([a, amount]) => `${a} ${plainDecimal(amount)}`);
    const has = present.get(key) ?? [];
    if (has.join() === wanted.join()) continue;
    const kind =
      has.length < wanted.length ? 'missing' : has.length > wanted.length ? 'doubled' : 'altered';
    found.add(kind, `postings of ${key}`, key);
  }
}

/** What the triggers wrote: none fired twice, none stayed silent, on either server. */
async function compareAudits(
  connection: Connection,
  ledger: Ledger,
  committed: readonly LedgerTransaction[],
  found: Findings,
): Promise<void> {
  for (const audit of ['account', 'order'] as const) {
    const counts = new Map<string, number>();
    for (const writer of ledger.writers) {
      const rows = await connection.query(
        `SELECT actor, COUNT(*) AS n FROM brokerage.${audit}_audit WHERE actor LIKE ? GROUP BY actor`,
        [`${writer}/%`],
      );
      for (const row of rows) counts.set(String(row['actor']), Number(row['n']));
    }
    for (const transaction of committed) {
      const actor = actorOf(transaction);
      const wanted = transaction.effect.audits[audit];
      const has = counts.get(actor) ?? 0;
      counts.delete(actor);
      if (has < wanted) found.add('missing', `${audit}_audit rows of ${actor}`, actor);
      if (has > wanted) found.add('doubled', `${audit}_audit rows of ${actor}`, actor);
    }
    for (const actor of counts.keys()) found.add('unexpected', `${audit}_audit rows of ${actor}`);
  }
}

/** The last state that the sessions' own rows were left in. */
async function compareRows(
  connection: Connection,
  committed: readonly LedgerTransaction[],
  found: Findings,
): Promise<number> {
  const wanted = new Map<string, Map<string, string | null>>();
  for (const { effect } of committed) {
    for (const [table, key, digest] of effect.rows) {
      const rows = wanted.get(table) ?? new Map<string, string | null>();
      wanted.set(table, rows);
      rows.set(key, digest);
    }
  }
  let compared = 0;
  for (const [table, rows] of wanted) {
    const present = await readDigests(connection, table as WatchedName, [...rows.keys()]);
    compared += rows.size;
    for (const [key, digest] of rows) {
      const has = present.get(key) ?? null;
      if (has === digest) continue;
      const kind = has === null ? 'missing' : digest === null ? 'unexpected' : 'altered';
      found.add(kind, `${table} ${key}`);
    }
  }
  return compared;
}

/** Every account's balance is its opening balance and its postings, whoever made them. */
async function compareBalances(
  connection: Connection,
  ledger: Ledger,
  found: Findings,
): Promise<number> {
  const wrong = await connection.query(
    `SELECT a.id FROM brokerage.account a
     LEFT JOIN (SELECT account_id, SUM(amount) AS moved FROM brokerage.posting GROUP BY account_id) p ON p.account_id = a.id
     WHERE a.balance <> a.opening_balance + IFNULL(p.moved, 0)`,
  );
  for (const row of wrong) found.add('altered', `balance of account ${String(row['id'])}`);
  const openings = new Map(
    (await connection.query('SELECT id, opening_balance FROM brokerage.account')).map((row) => [
      String(row['id']),
      String(row['opening_balance']),
    ]),
  );
  for (const [account, opening] of ledger.openings) {
    const has = openings.get(account);
    if (has === undefined) found.add('missing', `account ${account}`);
    else if (has !== opening) found.add('altered', `opening balance of account ${account}`);
  }
  return openings.size;
}

async function findRolledBackTraces(
  connection: Connection,
  ledger: Ledger,
  found: Findings,
): Promise<void> {
  for (const writer of ledger.writers) {
    const rows = await connection.query(
      'SELECT COUNT(*) AS n FROM brokerage.tape WHERE tag = -1 AND source LIKE ?',
      [`w${writer.slice(0, 8)}s%`],
    );
    const count = Number(rows[0]?.['n']);
    if (count > 0) found.add('unexpected', `${count} tape rows of rolled-back transactions`);
  }
}

/** Ten digits after the point, no leading zeros: as the column spells it. */
function plainDecimal(text: string): string {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)0*(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  return `${sign}${whole}.${fraction.padEnd(10, '0')}`;
}
