import type { Connection } from '../../../mysql/connection.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger-file.ts';
import { keyText } from '../ledger/records.ts';
import type { WatchedName } from '../watched-tables.ts';
import { readDigests } from '../watched-tables.ts';
import type { Findings } from './findings.ts';

/** The last state that the sessions' own rows were left in. */
export async function compareRows(
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

/** What the triggers wrote: none fired twice, none stayed silent, on either server. */
export async function compareAudits(
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
      const actor = keyText(transaction);
      const wanted = transaction.effect.audits[audit];
      const has = counts.get(actor) ?? 0;
      counts.delete(actor);
      if (has < wanted) found.add('missing', `${audit}_audit rows of ${actor}`, actor);
      if (has > wanted) found.add('doubled', `${audit}_audit rows of ${actor}`, actor);
    }
    for (const actor of counts.keys()) found.add('unexpected', `${audit}_audit rows of ${actor}`);
  }
}

export async function findRolledBackTraces(
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
