import type { Connection, Row } from '../../../mysql/connection.ts';
import { qualify, quoteIdentifier } from '../../../mysql/identifier.ts';
import { Random } from './random.ts';
import type { Sizes } from './sizes.ts';

/** A literal is SQL as it is: an expression or a charset introducer. */
export type SeedValue = string | number | bigint | Buffer | null | { readonly literal: string };

export interface SeedOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SeedProgress) => void;
}

export interface SeedProgress {
  readonly table: string;
  readonly rows: number;
}

const STATEMENT_CHARACTERS = 400_000;

/** Fills tables one after another, with the same rows for the same seed. */
export class Seeder {
  readonly sizes: Sizes;
  readonly #connection: Connection;
  readonly #seed: number;
  readonly #options: SeedOptions;

  constructor(connection: Connection, sizes: Sizes, seed: number, options: SeedOptions) {
    this.#connection = connection;
    this.sizes = sizes;
    this.#seed = seed;
    this.#options = options;
  }

  /** A sequence of its own, whatever is generated before. */
  random(area: string): Random {
    return new Random(this.#seed, area);
  }

  query(sql: string): Promise<Row[]> {
    return this.#connection.query(sql);
  }

  /** By multi-row INSERTs of bounded size; the rows are generated while they are sent. */
  async insert(
    [schema, name]: readonly [string, string],
    columns: readonly string[],
    rows: Iterable<readonly SeedValue[]>,
  ): Promise<void> {
    const { signal, onProgress } = this.#options;
    const head = `INSERT INTO ${qualify({ schema, name })} (${columns.map(quoteIdentifier).join(',')}) VALUES `;
    let parts: string[] = [];
    let size = 0;
    let total = 0;
    const flush = async () => {
      if (parts.length === 0) return;
      signal.throwIfAborted();
      await this.#connection.execute(head + parts.join(','));
      parts = [];
      size = 0;
    };
    for (const row of rows) {
      const part = `(${row.map(sqlLiteral).join(',')})`;
      parts.push(part);
      size += part.length;
      total += 1;
      if (size >= STATEMENT_CHARACTERS) await flush();
    }
    await flush();
    onProgress({ table: `${schema}.${name}`, rows: total });
  }
}

export function sqlLiteral(value: SeedValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string')
    return `'${value.replace(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return value.length === 0 ? "''" : `x'${value.toString('hex')}'`;
  return value.literal;
}
