/** With all of ten thousand tables neither a result, nor a report, nor a workflow's state would fit into 2 MB. */
const LISTED_TABLES = 500;

/** What a history keeps of the tables: those with something to look at, then the largest. */
export function listedTables<T extends { readonly rows: number }>(
  tables: readonly T[],
  isRemarkable: (table: T) => boolean,
): readonly T[] {
  if (tables.length <= LISTED_TABLES) return tables;
  const rank = (table: T) => (isRemarkable(table) ? 1 : 0);
  return tables.toSorted((a, b) => rank(b) - rank(a) || b.rows - a.rows).slice(0, LISTED_TABLES);
}
