import { expect, test } from 'vitest';
import { listedTables } from '../../src/activities/listed-tables.ts';
import { unlistedTables } from '../../src/observe/report/evidence.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';

test('of ten thousand tables the ones that matter are listed, of few all as they are', () => {
  const tables = Array.from({ length: 10_000 }, (_, i) => ({
    table: `shop.t${i}`,
    rows: i,
    differing: i === 7 ? 1 : 0,
  }));
  const listed = listedTables(tables, ({ differing }) => differing > 0);
  expect(listed).toHaveLength(500);
  expect(listed.slice(0, 2)).toEqual([tables[7], tables[9_999]]);
  const few = tables.slice(0, 500);
  expect(listedTables(few, () => false)).toBe(few);
});

test('the report says how many are not listed', () => {
  const report = (tableCount: number) =>
    ({
      plan: { plan: { tableCount } },
      copy: { tables: [{ table: 'shop.t', rows: 1, bytes: 1, seconds: 1 }] },
      verification: null,
    }) as unknown as MigrationReport;
  expect(unlistedTables(report(1))).toEqual([]);
  expect(unlistedTables(report(9_501))).toEqual([
    'and 9500 smaller tables; skyferry verify lists all, before the switch',
  ]);
});
