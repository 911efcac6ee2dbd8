import { closeSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Effect, LedgerKey, LedgerRecord, Outage } from './records.ts';
import { keyText } from './records.ts';

/** Append-only; each record is handed to the operating system before the call returns. */
export class LedgerFile {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a', 0o600);
  }

  append(record: LedgerRecord): void {
    writeSync(this.#descriptor, `${JSON.stringify(record)}\n`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

export interface LedgerTransaction extends LedgerKey {
  readonly effect: Effect;
  /** unknown: committed or not, both are right, but wholly. */
  readonly state: 'acknowledged' | 'unknown';
}

export interface Ledger {
  readonly writers: readonly string[];
  /** Of each session in the order of their sequence numbers. */
  readonly transactions: readonly LedgerTransaction[];
  /** Account to the opening balance that the writers found at their start. */
  readonly openings: ReadonlyMap<string, string>;
  readonly surprises: readonly Extract<LedgerRecord, { type: 'surprise' }>[];
  readonly givenUp: readonly Extract<LedgerRecord, { type: 'given-up' }>[];
  readonly outages: readonly Outage[];
}

/** Folds one or several ledger files into what has to be on the database. */
export async function readLedger(paths: readonly string[]): Promise<Ledger> {
  const fold = new LedgerFold();
  for (const path of paths) {
    const file = await open(path);
    try {
      for await (const line of file.readLines({ encoding: 'utf8' })) {
        const record = parse(line);
        if (record !== null) fold.add(record);
      }
    } finally {
      await file.close();
    }
  }
  return fold.result();
}

/** A writer that was killed while writing leaves a torn last line: what it says was not acknowledged. */
function parse(line: string): LedgerRecord | null {
  try {
    return JSON.parse(line) as LedgerRecord;
  } catch {
    return null;
  }
}

class LedgerFold {
  readonly #writers = new Set<string>();
  readonly #transactions = new Map<string, LedgerTransaction>();
  readonly #openings = new Map<string, string>();
  readonly #surprises: Extract<LedgerRecord, { type: 'surprise' }>[] = [];
  readonly #givenUp: Extract<LedgerRecord, { type: 'given-up' }>[] = [];
  readonly #outages: Outage[] = [];

  add(record: LedgerRecord): void {
    switch (record.type) {
      case 'run':
        this.#writers.add(record.writer);
        break;
      case 'accounts':
        // A second writer starts when the first has already moved balances, not opening balances.
        for (const [account, balance] of record.opening) this.#openings.set(account, balance);
        break;
      case 'intent': {
        const { writer, session, seq, effect } = record;
        const state = 'unknown';
        this.#transactions.set(keyText(record), { writer, session, seq, effect, state });
        break;
      }
      case 'acknowledged':
        this.#settle(record, 'acknowledged');
        break;
      case 'unknown':
        this.#settle(record, 'unknown');
        break;
      case 'resolved':
        if (record.committed) this.#settle(record, 'acknowledged');
        else this.#transactions.delete(keyText(record));
        break;
      case 'given-up':
        this.#givenUp.push(record);
        break;
      case 'surprise':
        this.#surprises.push(record);
        break;
      case 'outage':
        this.#outages.push(record);
        break;
      case 'stop':
        break;
    }
  }

  result(): Ledger {
    return {
      writers: [...this.#writers],
      transactions: [...this.#transactions.values()].sort(
        (a, b) => a.writer.localeCompare(b.writer) || a.session - b.session || a.seq - b.seq,
      ),
      openings: this.#openings,
      surprises: this.#surprises,
      givenUp: this.#givenUp,
      outages: this.#outages,
    };
  }

  #settle(key: LedgerKey, state: 'acknowledged' | 'unknown'): void {
    const known = this.#transactions.get(keyText(key));
    if (known !== undefined) this.#transactions.set(keyText(key), { ...known, state });
  }
}
