import type { TableElement } from '../mysql/catalog/create-table.ts';
import { parseCreateTable } from '../mysql/catalog/create-table.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { columnSignature, signature, tailSignature } from './definition-text.ts';

/** In what the rows of two tables could differ: columns, checks, options, partitions. Empty: in nothing. */
export function bodyDifferences(source: Table, target: Table): string[] {
  const expected = parseCreateTable(source.createStatement);
  const found = parseCreateTable(target.createStatement);
  return [
    ...elementDifferences('column', expected.elements, found.elements),
    ...elementDifferences('check', expected.elements, found.elements),
    ...collationDifferences(source, target),
    ...(sameOrder(source, target) ? [] : ['the columns stand in another order']),
    ...(tailSignature(expected.tail) === tailSignature(found.tail)
      ? []
      : ['table options or partitions differ']),
  ];
}

function elementDifferences(
  kind: 'column' | 'check',
  expected: readonly TableElement[],
  found: readonly TableElement[],
): string[] {
  const signatures = (elements: readonly TableElement[]) =>
    new Map(
      elements
        .filter((element) => element.kind === kind)
        .map((element) => [
          element.name,
          kind === 'column' ? columnSignature(element.text) : signature(element.text),
        ]),
    );
  const [wanted, there] = [signatures(expected), signatures(found)];
  return [
    ...[...wanted].flatMap(([name, definition]) => {
      if (!there.has(name)) return [`${kind} ${name} is missing`];
      return there.get(name) === definition ? [] : [`${kind} ${name} differs`];
    }),
    ...[...there.keys()]
      .filter((name) => !wanted.has(name))
      .map((name) => `${kind} ${name} is not on the source`),
  ];
}

function collationDifferences(source: Table, target: Table): string[] {
  const there = new Map(target.columns.map((column) => [column.name, column.collation]));
  return source.columns
    .filter(({ name }) => there.has(name))
    .filter(
      ({ name, collation }) => signature(collation ?? '') !== signature(there.get(name) ?? ''),
    )
    .map(({ name }) => `column ${name} has another collation`);
}

/** The binlog knows columns by their order alone. */
function sameOrder(source: Table, target: Table): boolean {
  const there = new Set(target.columns.map((column) => column.name));
  const wanted = source.columns.map((column) => column.name).filter((name) => there.has(name));
  const known = new Set(wanted);
  const found = target.columns.map((column) => column.name).filter((name) => known.has(name));
  return wanted.every((name, at) => name === found[at]);
}
