import { afterAll, beforeAll, expect, test } from 'vitest';
import { literal } from '../../../src/mysql/literal.ts';
import type { Catalog } from '../../../src/mysql/catalog/types.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import { qualify, quoteIdentifier } from '../../../src/mysql/identifier.ts';
import {
  hostilePrograms,
  hostileSchema,
  hostileSchemas,
  readerGrants,
} from '../../schema/hostile-schema.ts';
import { catalogOf, run } from '../../schema/on-servers.ts';
import { startMysql } from '../../servers.ts';

let server: Awaited<ReturnType<typeof startMysql>>;
let catalog: Catalog;
beforeAll(async () => {
  server = await startMysql();
  await run(server.endpoint, [...hostileSchema, ...hostilePrograms, ...readerGrants('pw')]);
  catalog = await catalogOf(server.endpoint, hostileSchemas);
});
afterAll(() => server?.stop());

const table = (name: string) => {
  const found = catalog.tables.find((candidate) => candidate.name.name === name);
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
};

test('an account with least privilege reads the same as root, and it survives JSON', async () => {
  const asReader = await catalogOf(
    { ...server.endpoint, user: 'reader', password: 'pw' },
    hostileSchemas,
  );
  expect(asReader).toEqual(catalog);
  expect(JSON.parse(JSON.stringify(catalog))).toEqual(catalog);
});

test('a generated key is a key though the server hides it', async () => {
  const show = 'SET GLOBAL show_gipk_in_create_table_and_information_schema';
  await run(server.endpoint, [
    'CREATE DATABASE keyed',
    'SET SESSION sql_generate_invisible_primary_key = ON',
    'CREATE TABLE keyed.t (v int)',
    `${show} = OFF`,
  ]);
  const hidden = await catalogOf(server.endpoint, ['keyed']);
  await run(server.endpoint, [`${show} = ON`]);
  expect(hidden.tables[0]?.rowKey).toEqual({ index: 'PRIMARY', columns: ['my_row_id'] });
  expect(hidden).toEqual(await catalogOf(server.endpoint, ['keyed']));
});

test('keys, counters, columns and foreign keys are what they are', () => {
  expect(table('Account')).toMatchObject({
    rowKey: { index: 'PRIMARY', columns: ['id'] },
    autoIncrement: '1000',
    checks: [{ name: 'chk ( ,', enforced: false }],
    partitioned: false,
  });
  const column = (name: string) =>
    table('Account').columns.find((candidate) => candidate.name === name);
  expect(column('kind')).toMatchObject({ unsigned: false, dataType: 'enum' });
  expect(column('id')).toMatchObject({ unsigned: true, autoIncrement: true, ordinal: 1 });
  expect(column('hidden')).toMatchObject({ invisible: true, generated: null });
  expect(column('shown')).toMatchObject({ generated: 'stored' });
  expect(table('Account').indexes.find(({ name }) => name === 'twice')?.parts).toEqual([
    { column: null, prefix: null },
    { column: 'code', prefix: null },
  ]);
  expect(table('a.b`),(').rowKey).toEqual({ index: 'not null key', columns: ['i,d'] });
  expect(table('a.b`),(').foreignKeys).toEqual([
    {
      name: 'fk,(',
      table: { schema: 'we`ird.db \'"', name: 'a.b`),(' },
      columns: ['account`'],
      referencedTable: { schema: 'Trade', name: 'Account' },
      referencedColumns: ['id'],
      onDelete: 'SET NULL',
      onUpdate: 'NO ACTION',
    },
  ]);
  expect([table('NoKey').rowKey, table('counted').rowKey]).toEqual([null, null]);
  expect(table('fills').partitioned).toBe(true);
});

test('triggers come in the order in which they fire, and bodies are not hidden', () => {
  expect(catalog.triggers.map(({ name, order }) => [name.name, order])).toEqual([
    ['first', 1],
    ['second', 2],
  ]);
  expect(catalog.views.map(({ name }) => name.name)).toEqual([
    'a_top',
    'b_middle',
    'broken',
    'c_base',
    'orphaned',
  ]);
});

test('the fingerprint tells a changed definition, not a counter', async () => {
  await run(server.endpoint, [
    "SET SESSION sql_mode = ''",
    'ALTER TABLE Trade.Account AUTO_INCREMENT = 2000',
    "INSERT INTO Trade.NoKey VALUES (1, 'a')",
  ]);
  const counted = await catalogOf(server.endpoint, hostileSchemas);
  expect(counted.fingerprint).toBe(catalog.fingerprint);
  expect(counted.tables.find(({ name }) => name.name === 'Account')?.autoIncrement).toBe('2000');
  await run(server.endpoint, ["ALTER TABLE Trade.NoKey COMMENT 'AUTO_INCREMENT=8'"]);
  const commented = (await catalogOf(server.endpoint, hostileSchemas)).fingerprint;
  await run(server.endpoint, ["ALTER TABLE Trade.NoKey COMMENT 'AUTO_INCREMENT=9'"]);
  const changed = (await catalogOf(server.endpoint, hostileSchemas)).fingerprint;
  expect(new Set([catalog.fingerprint, commented, changed]).size).toBe(3);
});

test('a schema that is not there is named', async () => {
  await expect(catalogOf(server.endpoint, ['Trade', 'trade2'])).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('trade2') as string,
  });
});

test('the session of the connection is left as it was', async () => {
  await withConnection(
    server.endpoint,
    { session: ["SET sql_mode = 'ANSI_QUOTES', time_zone = '+02:00'"] },
    async (connection) => {
      const { readCatalog } = await import('../../../src/mysql/catalog/read.ts');
      await readCatalog(connection, ['Trade']);
      const [row] = await connection.query(
        'SELECT @@sql_mode AS mode, @@time_zone AS zone, @@information_schema_stats_expiry AS expiry',
      );
      expect(row).toEqual({ mode: 'ANSI_QUOTES', zone: '+02:00', expiry: '86400' });
    },
  );
});

test('literals find the rows that they were read from', async () => {
  const name = { schema: 'lit', name: 'values' };
  await run(server.endpoint, [
    "SET sql_mode = '', time_zone = '+00:00'",
    'CREATE DATABASE lit',
    `CREATE TABLE ${qualify(name)} (id int PRIMARY KEY, u bigint unsigned, d decimal(40,10), dbl double, y year, b bit(64), dt datetime(6),
       zero date, t time(6), ts timestamp, l1 varchar(10) CHARACTER SET latin1, u16 varchar(10) CHARACTER SET utf16, g varchar(10) CHARACTER SET gbk,
       bin varbinary(10), bl blob, e enum('a''b', 'c'), s set('x', 'y'), j json, pt point)`,
    `INSERT INTO ${qualify(name)} VALUES (-1, 18446744073709551615, -123456789012345678901234567890.0123456789, 1.7976931348623157e308, 2155,
       b'1111111111111111111111111111111111111111111111111111111111111110', '2026-02-28 23:59:59.999999', '0000-00-00', '-838:59:59.000001',
       '2038-01-19 03:14:07', 'ü''\\\\', '€', '中\\\\', x'00ff27', x'', 'a''b', 'x,y', '{"a": [1, 2.5, "\\u00fc"]}', ST_GeomFromText('POINT(1 2)'))`,
  ]);
  const { columns } = (await catalogOf(server.endpoint, ['lit'])).tables[0] ?? { columns: [] };
  await withConnection(
    server.endpoint,
    { session: ["SET sql_mode = '', time_zone = '+00:00'"] },
    async (connection) => {
      for (const column of columns) {
        // The text that the protocol sends without conversion, fetched here as hexadecimal digits.
        const expression =
          column.charset === null
            ? `CAST(${quoteIdentifier(column.name)} AS BINARY)`
            : quoteIdentifier(column.name);
        const [row] = await connection.query<{ hex: string }>(
          `SELECT HEX(${expression}) AS hex FROM ${qualify(name)}`,
        );
        const raw =
          column.dataType === 'geometry' || column.dataType === 'point'
            ? `HEX(${quoteIdentifier(column.name)})`
            : null;
        const [geo] =
          raw === null
            ? [row]
            : await connection.query<{ hex: string }>(`SELECT ${raw} AS hex FROM ${qualify(name)}`);
        const bytes = Buffer.from(geo?.hex ?? '', 'hex');
        const where = `${quoteIdentifier(column.name)} = ${literal(column, bytes)}`;
        const found = await connection.query(`SELECT id FROM ${qualify(name)} WHERE ${where}`);
        expect([column.name, found]).toEqual([column.name, [{ id: -1 }]]);
      }
    },
  );
  expect(columns).toHaveLength(19);
  expect(literal(columns[0] as never, null)).toBe('NULL');
  expect(() => literal(columns[0] as never, Buffer.from('1 OR 1'))).toThrow(RangeError);
});
