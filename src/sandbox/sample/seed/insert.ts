import type { Connection } from '../../../mysql/connection.ts';
import { qualify, quoteIdentifier } from '../../../mysql/identifier.ts';

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

/** Multi-row INSERTs of bounded size; the rows are generated while they are sent. */
export async function insertRows(
  connection: Connection,
  [schema, name]: readonly [string, string],
  columns: readonly string[],
  rows: Iterable<readonly SeedValue[]>,
  { signal, onProgress }: SeedOptions,
): Promise<void> {
  const head = `INSERT INTO ${qualify({ schema, name })} (${columns.map(quoteIdentifier).join(',')}) VALUES `;
  let parts: string[] = [];
  let size = 0;
  let total = 0;
  const flush = async () => {
    if (parts.length === 0) return;
    signal.throwIfAborted();
    await connection.execute(head + parts.join(','));
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

export function sqlLiteral(value: SeedValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string')
    return `'${value.replace(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return value.length === 0 ? "''" : `x'${value.toString('hex')}'`;
  return value.literal;
}
