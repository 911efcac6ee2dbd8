import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cutTable } from '../../src/copy/cut.ts';
import type { KeyRange } from '../../src/copy/key-range.ts';
import { boundColumns, rangeCondition } from '../../src/copy/key-range.ts';
import { sourceSession } from '../../src/copy/sessions.ts';
import { readCatalog } from '../../src/mysql/catalog/read.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { RawConnection } from '../../src/mysql/raw-connection.ts';
import { openRawConnection } from '../../src/mysql/open-raw-connection.ts';
import type { TestMysql } from '../servers.ts';
import { startMysql } from '../servers.ts';

let server: TestMysql;
let connection: Connection;
let raw: RawConnection;
beforeAll(async () => {
  server = await startMysql();
  connection = await openConnection(server.endpoint, { session: ["SET SESSION sql_mode = ''"] });
  raw = await openRawConnection(server.endpoint, { session: sourceSession });
  await connection.query('CREATE DATABASE ranges');
});
afterAll(async () => {
  await Promise.all([connection.close(), raw.close()]);
  await server.stop();
});

const word = fc
  .array(fc.constantFrom('a', 'A', 'ä', 'b', 'ß', 'ss', ' ', '_', "'", '\\', '\0', '1', '😀'), {
    maxLength: 4,
  })
  .map((letters) => letters.join(''));

/** Key definitions with a generator of one key's values. */
const kinds = [
  { columns: 'a int', key: 'a', row: fc.tuple(fc.integer({ min: -50, max: 50 })) },
  {
    columns: 'a bigint unsigned',
    key: 'a',
    row: fc.tuple(fc.bigInt({ min: 0n, max: 18446744073709551615n }).map(String)),
  },
  { columns: 'a varchar(20) COLLATE utf8mb4_general_ci', key: 'a', row: fc.tuple(word) },
  { columns: 'a char(20) COLLATE utf8mb4_0900_ai_ci', key: 'a', row: fc.tuple(word) },
  { columns: 'a varbinary(40)', key: 'a', row: fc.tuple(word) },
  {
    columns: 'a varchar(20) CHARACTER SET latin1, b int, c varchar(20) COLLATE utf8mb4_bin',
    key: 'a, b, c',
    row: fc.tuple(fc.constantFrom('a', 'A', 'b', 'é '), fc.integer({ min: -2, max: 2 }), word),
  },
  {
    columns: 'a decimal(6,3), b datetime(2), c time',
    key: 'a, b, c',
    row: fc.tuple(
      fc.integer({ min: -3, max: 3 }).map((n) => n / 2),
      fc.constantFrom('0000-00-00 00:00:00', '2020-01-01 00:00:00.01', '2020-01-01 00:00:00.02'),
      fc.constantFrom('-838:59:59', '00:00:00', '10:00:00'),
    ),
  },
  {
    columns: "a year, b enum('z','y','x'), c int",
    key: 'a, b, c',
    row: fc.tuple(
      fc.constantFrom(0, 1901, 2000, 2024, 2155),
      fc.constantFrom('z', 'y', 'x'),
      fc.integer({ min: 0, max: 9 }),
    ),
  },
];

test('ranges cover every row once, and rows that come later too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds).chain((kind) =>
        fc.record({
          kind: fc.constant(kind),
          rows: fc.array(kind.row as fc.Arbitrary<(string | number)[]>, { maxLength: 60 }),
          later: fc.array(kind.row as fc.Arbitrary<(string | number)[]>, { maxLength: 20 }),
        }),
      ),
      fc.integer({ min: 1, max: 12 }),
      async ({ kind, rows, later }, size) => {
        await connection.query('DROP TABLE IF EXISTS ranges.t');
        await connection.query(
          `CREATE TABLE ranges.t (${kind.columns}, PRIMARY KEY (${kind.key})) CHARACTER SET utf8mb4`,
        );
        const insert = async (row: (string | number)[]) => {
          await connection.query(
            `INSERT IGNORE INTO ranges.t VALUES (${row.map(() => '?').join()})`,
            row,
          );
        };
        for (const row of rows) await insert(row);
        const table = (await readCatalog(connection, ['ranges'])).tables[0]!;
        const ranges: KeyRange[] = [];
        for await (const part of cutTable(raw, table, size, null)) ranges.push(...part);
        const cutRows = (await keys('')).length;
        for (const row of later) await insert(row);

        const all = await keys('');
        const found: string[] = [];
        for (const range of ranges) {
          const condition = rangeCondition(boundColumns(table), range);
          found.push(...(await keys(condition && ` WHERE ${condition}`)));
        }
        expect(found.sort()).toEqual(all.sort());
        const wholeKey = boundColumns(table).length === table.rowKey?.columns.length;
        expect(cutRows <= size * 8 || !wholeKey || ranges.length > 1).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
}, 120_000);

async function keys(where: string): Promise<string[]> {
  const rows = await raw.rows(`SELECT * FROM ranges.t${where}`);
  return rows.map((row) => row.map((field) => field?.toString('hex')).join());
}

test('a composite bound starts a range in the index', async () => {
  await connection.query('CREATE TABLE ranges.big (a int, b int, c char(60), PRIMARY KEY (a, b))');
  await connection.query('SET SESSION cte_max_recursion_depth = 100000');
  await connection.query(
    `INSERT INTO ranges.big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
     SELECT i DIV 5000, i, '' FROM n`,
  );
  const table = (await readCatalog(connection, ['ranges'])).tables.find(
    (t) => t.name.name === 'big',
  )!;
  const condition = rangeCondition(boundColumns(table), {
    lower: ['1', '7000'],
    upper: ['1', '7100'],
  });
  await connection.query('FLUSH STATUS');
  await connection.query(
    `SELECT COUNT(*) FROM ranges.big FORCE INDEX (PRIMARY) WHERE ${condition}`,
  );
  const status = await connection.query("SHOW SESSION STATUS LIKE 'Handler_read_next'");
  expect(Number(status[0]?.['Value'])).toBeLessThan(200);
});
