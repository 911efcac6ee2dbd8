import type { Connection } from '../../../mysql/connection.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger-file.ts';
import { keyText } from '../ledger/records.ts';
import type { Findings } from './findings.ts';

interface Entry {
  readonly key: string;
  readonly kind: string;
  readonly digest: string;
  readonly payloadDigest: string;
}

export async function readEntries(
  connection: Connection,
  writers: readonly string[],
): Promise<Entry[]> {
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
export function compareEntries(
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
