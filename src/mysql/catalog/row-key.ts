import type { Column, Index, RowKey } from './types.ts';

/** See `Table.rowKey`. `indexes` in the order of SHOW CREATE TABLE. */
export function chooseRowKey(indexes: readonly Index[], columns: readonly Column[]): RowKey | null {
  const nullable = new Set(
    columns.filter((column) => column.nullable).map((column) => column.name),
  );
  const tellsRows = (index: Index) =>
    index.unique &&
    index.parts.every(
      (part) => part.column !== null && part.prefix === null && !nullable.has(part.column),
    );
  const primary = indexes.find((index) => index.name === 'PRIMARY');
  const index = primary ?? indexes.find(tellsRows);
  // A primary key over a prefix still tells rows apart, but its columns' whole values tell them as well.
  return index === undefined
    ? null
    : { index: index.name, columns: index.parts.flatMap((part) => part.column ?? []) };
}
