import { expect, test } from 'vitest';
import type { Catalog, Table } from '../../src/mysql/catalog/types.ts';
import { emptyCatalog } from '../../src/mysql/catalog/types.ts';
import type { CascadeRoot } from '../../src/reconcile/tables-at-risk.ts';
import { everyRoot, tablesAtRisk } from '../../src/reconcile/tables-at-risk.ts';

type Key = [child: string, column: string, parent: string, onDelete: string, onUpdate: string];

/** Every table's referenced column is `id`. */
function catalogOf(keys: readonly Key[]): Catalog {
  const names = [...new Set(keys.flatMap(([child, , parent]) => [child, parent]))];
  const tables = names.map((name) => ({
    name: { schema: 's', name },
    foreignKeys: keys
      .filter(([child]) => child === name)
      .map(([child, column, parent, onDelete, onUpdate]) => ({
        name: `${child}_${parent}`,
        table: { schema: 's', name: child },
        columns: [column],
        referencedTable: { schema: 's', name: parent },
        referencedColumns: ['id'],
        onDelete,
        onUpdate,
      })),
  }));
  return { ...emptyCatalog, tables: tables as unknown as Table[] };
}

function atRisk(keys: readonly Key[], select?: (root: CascadeRoot) => boolean): string[] {
  const catalog = catalogOf(keys);
  const roots = everyRoot(catalog).filter(select ?? (() => true));
  return tablesAtRisk(catalog, roots).map(({ name }) => name.name);
}

const A = 'NO ACTION';

test('a child of a child, and a table that is its own child', () => {
  expect(
    atRisk([
      ['b', 'a_id', 'a', 'CASCADE', A],
      ['c', 'b_id', 'b', 'SET NULL', A],
      ['d', 'c_id', 'c', 'CASCADE', A],
      ['desk', 'parent', 'desk', 'CASCADE', A],
    ]),
  ).toEqual(['c', 'desk']);
});

test('not below a parent whose rows and keys the cascade leaves alone', () => {
  expect(
    atRisk([
      ['post', 'user_id', 'user', 'SET NULL', 'SET NULL'],
      ['comment', 'post_id', 'post', 'CASCADE', 'SET NULL'],
    ]),
  ).toEqual([]);
});

test('a child that gets another key without a trace, and what refers to that key', () => {
  expect(
    atRisk([
      ['run', 'ID', 'job', A, 'CASCADE'],
      ['line', 'run_id', 'run', A, 'SET NULL'],
    ]),
  ).toEqual(['run', 'line']);
});

test('only what a cascade that happened can reach', () => {
  const keys: Key[] = [
    ['b', 'a_id', 'a', 'CASCADE', 'CASCADE'],
    ['c', 'b_id', 'b', 'CASCADE', A],
    ['z', 'y_id', 'y', A, 'CASCADE'],
  ];
  const of =
    (child: string, change: CascadeRoot['change']) =>
    (root: CascadeRoot): boolean =>
      root.foreignKey.table.name === child && root.change === change;
  expect(atRisk(keys, of('b', 'delete'))).toEqual(['c']);
  expect(atRisk(keys, of('b', 'update'))).toEqual(['b']);
  expect(atRisk(keys, of('c', 'delete'))).toEqual([]);
  expect(atRisk(keys, of('z', 'update'))).toEqual(['z']);
});
