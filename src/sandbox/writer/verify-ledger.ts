import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { readLedger } from './ledger/ledger-file.ts';
import type { Outage } from './ledger/records.ts';
import { compareEntries, readEntries } from './verify/entries.ts';
import { Findings } from './verify/findings.ts';
import { compareBalances, comparePostings } from './verify/money.ts';
import { compareAudits, compareRows, findRolledBackTraces } from './verify/rows.ts';
import { digestSession } from './watched-tables.ts';

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

/** Compares a database at rest with one or several ledger files of the writers that wrote to it. */
export async function verifyLedger(
  target: Endpoint,
  ledgerFiles: string | readonly string[],
): Promise<LedgerVerdict> {
  const ledger = await readLedger(typeof ledgerFiles === 'string' ? [ledgerFiles] : ledgerFiles);
  return await withConnection(target, { session: digestSession }, async (connection) => {
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
