import type { Connection, Row, Value } from '../../../mysql/connection.ts';
import type { Random } from '../../sample/seed/random.ts';
import type { Effect } from '../ledger/records.ts';
import type { OwnRows } from '../own-rows.ts';
import type { WatchedName } from '../watched-tables.ts';
import { readDigests, rowKey } from '../watched-tables.ts';

type KeyPart = string | number | bigint;

export interface Surprise {
  readonly table: WatchedName;
  readonly key: string;
  readonly found: 'missing' | 'extra' | 'changed';
}

/** Shared rows that every session may use and no session deletes or renames. */
export interface SharedRows {
  readonly accounts: readonly string[];
  readonly customers: readonly string[];
  readonly symbols: readonly string[];
  readonly runs: readonly string[];
}

/**
 * One attempt of one transaction. It collects what the attempt touched, so that its effect can be
 * read before COMMIT and found again later, on whichever server.
 */
export class Scope {
  readonly connection: Connection;
  readonly random: Random;
  readonly own: OwnRows;
  readonly shared: SharedRows;
  /** Starts every name that this session gives: unique among sessions and runs; lower case. */
  readonly prefix: string;
  /** Different for every transaction of a session. */
  readonly seq: number;
  readonly entry: string;
  readonly surprises: Surprise[] = [];
  readonly #touched = new Map<WatchedName, Set<string>>();
  readonly #checked = new Set<string>();
  readonly #postings: [string, string][] = [];
  readonly #audits = { account: 0, order: 0 };

  constructor(
    init: Pick<Scope, 'connection' | 'random' | 'own' | 'shared' | 'prefix' | 'seq' | 'entry'>,
  ) {
    // prettier-ignore
    this.connection = init.connection;
    this.random = init.random;
    this.own = init.own;
    this.shared = init.shared;
    this.prefix = init.prefix;
    this.seq = init.seq;
    this.entry = init.entry;
  }

  run(sql: string, values: readonly Value[] = []): Promise<{ affectedRows: number }> {
    return this.connection.execute(sql, values);
  }

  query(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    return this.connection.query(sql, values);
  }

  /** Runs an INSERT into a table with AUTO_INCREMENT and returns the id that it got. */
  async insert(sql: string, values: readonly Value[] = []): Promise<string> {
    await this.run(sql, values);
    const [row] = await this.query('SELECT LAST_INSERT_ID() AS id');
    return String(row?.['id']);
  }

  /** A row that this transaction writes: its state at the end becomes part of the effect. */
  touch(table: WatchedName, ...parts: KeyPart[]): void {
    this.touchKeys(table, [rowKey(table, parts)]);
  }

  touchKeys(table: WatchedName, keys: readonly string[]): void {
    const touched = this.#touched.get(table) ?? new Set<string>();
    this.#touched.set(table, touched);
    for (const key of keys) touched.add(key);
  }

  /**
   * Locks own rows, compares them with what the last acknowledged transaction left (as an
   * application notices that its data is not what it wrote) and touches them.
   */
  async take(table: WatchedName, keys: readonly string[]): Promise<void> {
    const found = await readDigests(this.connection, table, keys, { lock: table !== 'tape' });
    for (const [key, digest] of found) {
      const known = this.own.digest(table, key);
      const id = `${table} ${key}`;
      if (digest !== known && !this.#checked.has(id)) {
        const kind = digest === null ? 'missing' : known === null ? 'extra' : 'changed';
        this.surprises.push({ table, key, found: kind });
      }
      this.#checked.add(id);
    }
    this.touchKeys(table, keys);
  }

  /** Moves money on a shared account: a relative change, so that sessions may meet on one row. */
  async post(account: string, amount: string): Promise<void> {
    this.#postings.push([account, amount]);
    this.#audits.account += 1;
    await this.run(
      `CALL brokerage.post_amount(?, ?, ${account}, ${amount})`, // digits only: a quoted one would be a double
      [this.entry, this.#postings.length],
    );
  }

  /** A trigger of `order` wrote a row. */
  audited(orders = 1): void {
    this.#audits.order += orders;
  }

  /** Reads the touched rows back. Call last. */
  async effect(kind: string, digest: string): Promise<Effect> {
    const rows: [string, string, string | null][] = [];
    for (const [table, keys] of this.#touched) {
      const found = await readDigests(this.connection, table, [...keys]);
      for (const [key, state] of found) rows.push([table, key, state]);
    }
    return { kind, digest, postings: this.#postings, rows, audits: { ...this.#audits } };
  }
}
