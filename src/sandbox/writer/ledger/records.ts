/** One transaction of one session of one writer. A repeated attempt keeps its sequence number. */
export interface LedgerKey {
  readonly writer: string;
  readonly session: number;
  readonly seq: number;
}

/** Also the actor that the triggers' rows name. */
export function keyText({ writer, session, seq }: LedgerKey): string {
  return `${writer}/${session}/${seq}`;
}

/** What a transaction did, as it has to be found on the database afterwards. */
export interface Effect {
  readonly kind: string;
  /** SHA-256 of the ledger row's payload, hex. */
  readonly digest: string;
  /** Account and amount, in line order. */
  readonly postings: readonly (readonly [account: string, amount: string])[];
  /** Rows of this session alone, as they were at the commit: table, key, digest or null when absent. */
  readonly rows: readonly (readonly [table: string, key: string, digest: string | null])[];
  /** Rows that triggers wrote for it. */
  readonly audits: { readonly account: number; readonly order: number };
}

export interface Outage {
  /**
   * ISO times. From: the start of the first write that failed, or the last acknowledgement when
   * later. To: the first acknowledgement of a write that began after that failure.
   */
  readonly from: string;
  readonly to: string;
  readonly ms: number;
  /** From the last acknowledged write before to the first one after. */
  readonly silentMs: number;
  /** Where writes failed and where they were taken again, `host:port`. */
  readonly failedAt: string;
  readonly endpoint: string;
  /** Errnos or failure codes that were seen, with counts. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Lines of the ledger file, JSON each. Order in the file is the order of what happened. */
export type LedgerRecord =
  | { readonly type: 'run'; readonly writer: string; readonly at: string }
  /** Shared accounts that transfers touch, with the opening balances found at the start. */
  | {
      readonly type: 'accounts';
      readonly writer: string;
      readonly opening: readonly (readonly [account: string, balance: string])[];
    }
  /** Written before COMMIT is sent. */
  | ({ readonly type: 'intent' } & LedgerKey & { readonly effect: Effect })
  /** Written after COMMIT was acknowledged. */
  | ({ readonly type: 'acknowledged'; readonly at: number; readonly endpoint: string } & LedgerKey)
  /** COMMIT was sent and no clear answer came. */
  | ({ readonly type: 'unknown'; readonly at: number } & LedgerKey)
  /** Looked up on a server that takes writes. */
  | ({
      readonly type: 'resolved';
      readonly committed: boolean;
      readonly endpoint: string;
    } & LedgerKey)
  /** Failed again and again for a reason that is no outage; nothing of it may be on the database. */
  | ({ readonly type: 'given-up'; readonly kind: string; readonly error: string } & LedgerKey)
  /** A row of this session was not as its last acknowledged transaction had left it. */
  | ({
      readonly type: 'surprise';
      readonly table: string;
      readonly key: string;
      readonly found: 'missing' | 'extra' | 'changed';
    } & LedgerKey)
  | ({ readonly type: 'outage'; readonly writer: string } & Outage)
  | { readonly type: 'stop'; readonly writer: string; readonly at: string };
