import type { Connection } from '../../../mysql/connection.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger-file.ts';
import { keyText } from '../ledger/records.ts';
import type { Findings } from './findings.ts';

export async function comparePostings(
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

/** Every account's balance is its opening balance and its postings, whoever made them. */
export async function compareBalances(
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

/** Ten digits after the point, no leading zeros: as the column spells it. */
function plainDecimal(text: string): string {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)0*(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  return `${sign}${whole}.${fraction.padEnd(10, '0')}`;
}
