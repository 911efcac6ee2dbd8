import type { TableElement } from '../mysql/catalog/create-table.ts';
import { isKey, parseCreateTable, parseIndex } from '../mysql/catalog/create-table.ts';
import type { ForeignKey, Index, Table } from '../mysql/catalog/types.ts';
import { qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import { signature, withoutStorageOptions } from './definition-text.ts';

/**
 * The statement that creates a table for the full load: columns, checks, options and partitions as on
 * the source, and of its keys only those that the load and the replay need. UNIQUE ones beside the row
 * key would collide while chunks of different moments lie side by side: where such an index is
 * needed it is created without its uniqueness, which `buildIndexes` restores.
 */
export function loadDefinition(table: Table, lctn: number): string {
  const { elements, tail } = parseCreateTable(table.createStatement);
  const kept = keysForLoad(table);
  const clauses = elements.flatMap((element) => {
    if (element.kind === 'foreign-key') return [];
    if (!isKey(element)) return [element.text];
    if (!kept.has(element.name)) return [];
    return element.kind === 'unique' && element.name !== table.rowKey?.index
      ? [element.text.replace(/^UNIQUE /, '')]
      : [element.text];
  });
  return `CREATE TABLE ${qualify(spelledOn(table.name, lctn))} (\n  ${clauses.join(',\n  ')}\n)${withoutStorageOptions(tail)}`;
}

function keysForLoad(table: Table): Set<string> {
  const kept = new Set<string>(table.rowKey === null ? [] : [table.rowKey.index]);
  const need = (columns: readonly string[]) => {
    const serving = table.indexes.filter((index) => leadsWith(index, columns));
    if (serving.some((index) => kept.has(index.name))) return;
    const index = serving.find((candidate) => !candidate.unique) ?? serving[0];
    if (index !== undefined) kept.add(index.name);
  };
  const counter = table.columns.find((column) => column.autoIncrement);
  if (counter !== undefined) need([counter.name]);
  for (const key of table.foreignKeys) if (cascades(key)) need(key.columns);
  // Without a row key the replay finds rows by any index that there is, else by reading the table: best by
  // one whose values are unique but for NULLs.
  const plain = table.indexes.filter(isPlain);
  const finder = plain.find(({ unique }) => unique) ?? plain[0];
  if (table.rowKey === null && kept.size === 0 && finder !== undefined) kept.add(finder.name);
  return kept;
}

/** Whether a change of the parent changes children, which no binlog of 8.x holds. */
function cascades({ onDelete, onUpdate }: ForeignKey): boolean {
  return [onDelete, onUpdate].some((action) => action !== 'RESTRICT' && action !== 'NO ACTION');
}

function leadsWith(index: Index, columns: readonly string[]): boolean {
  return isPlain(index) && columns.every((column, at) => index.parts[at]?.column === column);
}

function isPlain(index: Index): boolean {
  return (
    index.kind === 'btree' &&
    index.parts.every((part) => part.column !== null && part.prefix === null)
  );
}

export interface KeyChange {
  readonly element: TableElement;
  /** For an index of that name that is there with another definition. */
  readonly drop: boolean;
  readonly kind: 'plain' | 'functional' | 'fulltext' | 'spatial';
}

/** The keys of `source` that `target` lacks or has otherwise, in the source's order. */
export function missingKeys(source: Table, target: Pick<Table, 'createStatement'>): KeyChange[] {
  const there = new Map(
    parseCreateTable(target.createStatement)
      .elements.filter(isKey)
      .map((element) => [element.name.toLowerCase(), signature(element.text)]),
  );
  return parseCreateTable(source.createStatement)
    .elements.filter(isKey)
    .flatMap((element) => {
      const found = there.get(element.name.toLowerCase());
      if (found === signature(element.text)) return [];
      return [{ element, drop: found !== undefined, kind: changeKind(element) }];
    });
}

function changeKind(element: TableElement): KeyChange['kind'] {
  if (element.kind === 'fulltext' || element.kind === 'spatial') return element.kind;
  return parseIndex(element).parts.some((part) => part.column === null) ? 'functional' : 'plain';
}

export interface ForeignKeyChange {
  readonly foreignKey: ForeignKey;
  readonly drop: boolean;
}

export function missingForeignKeys(
  source: Table,
  target: Pick<Table, 'foreignKeys'>,
  lctn: number,
): ForeignKeyChange[] {
  const there = new Map(
    target.foreignKeys.map((key) => [key.name.toLowerCase(), foreignKeyClause(key, lctn)]),
  );
  return source.foreignKeys.flatMap((foreignKey) => {
    const found = there.get(foreignKey.name.toLowerCase());
    if (found === foreignKeyClause(foreignKey, lctn)) return [];
    return [{ foreignKey, drop: found !== undefined }];
  });
}

export function foreignKeyClause(key: ForeignKey, lctn: number): string {
  const list = (columns: readonly string[]) => columns.map(quoteIdentifier).join(', ');
  return (
    `CONSTRAINT ${quoteIdentifier(key.name)} FOREIGN KEY (${list(key.columns)})` +
    ` REFERENCES ${qualify(spelledOn(key.referencedTable, lctn))} (${list(key.referencedColumns)})` +
    (key.onDelete === 'NO ACTION' ? '' : ` ON DELETE ${key.onDelete}`) +
    (key.onUpdate === 'NO ACTION' ? '' : ` ON UPDATE ${key.onUpdate}`)
  );
}
