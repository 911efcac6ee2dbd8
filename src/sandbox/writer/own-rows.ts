import type { WatchedName } from './watched-tables.ts';

/** What one session's acknowledged transactions left behind: its own rows with their digests. */
export class OwnRows {
  readonly #tables = new Map<WatchedName, Map<string, string>>();

  keys(table: WatchedName): string[] {
    return [...(this.#tables.get(table)?.keys() ?? [])];
  }

  /** Keys whose first parts are these. */
  below(table: WatchedName, prefix: string): string[] {
    return this.keys(table).filter((key) => key.startsWith(`${prefix}|`));
  }

  count(table: WatchedName): number {
    return this.#tables.get(table)?.size ?? 0;
  }

  digest(table: WatchedName, key: string): string | null {
    return this.#tables.get(table)?.get(key) ?? null;
  }

  /** Call once a transaction is acknowledged. */
  apply(rows: readonly (readonly [table: string, key: string, digest: string | null])[]): void {
    for (const [table, key, digest] of rows) {
      const name = table as WatchedName;
      const known = this.#tables.get(name) ?? new Map<string, string>();
      this.#tables.set(name, known);
      if (digest === null) known.delete(key);
      else known.set(key, digest);
    }
  }
}
