import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setStartPosition } from '../../src/checkpoint/store.ts';
import { createCheckpoint } from '../../src/checkpoint/take-name.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import { readCatalog } from '../../src/mysql/catalog/read.ts';
import { compareTables } from '../../src/verify/compare-tables.ts';
import { withPair } from '../../src/verify/session.ts';
import type { Verdict } from '../../src/verify/verdict.ts';
import { startMysqlPair } from '../servers.ts';

let pair: Awaited<ReturnType<typeof startMysqlPair>>;
let source: Connection;
let target: Connection;

const tables = [
  `CREATE TABLE plain (id int PRIMARY KEY, a int, b varchar(40), c datetime(6)) `,
  `CREATE TABLE typed (
    id bigint unsigned PRIMARY KEY, f float, d double, dm double(10,2), n decimal(65,30), bi bit(13),
    e enum('','x','y'), s set('a','b','c'), j json, g geometry, bl blob, bin binary(8), vb varbinary(20),
    t time(6), y year, dt date, ts timestamp(6) NULL, txt text, l1 varchar(20) CHARACTER SET latin1,
    u16 varchar(20) CHARACTER SET utf16, hidden int INVISIBLE,
    sum_v int GENERATED ALWAYS AS (y + 1) VIRTUAL, sum_s int GENERATED ALWAYS AS (y + 2) STORED)`,
  `CREATE TABLE words (w varchar(20) COLLATE utf8mb4_0900_ai_ci, k enum('z','m','a'), f float NOT NULL, v int,
    PRIMARY KEY (w, k, f))`,
  `CREATE TABLE bits (b bit(20) PRIMARY KEY, v int)`,
  `CREATE TABLE by_enum (k enum('z','m','a') PRIMARY KEY, v int)`,
  `CREATE TABLE heap (a int, b varchar(20))`,
  `CREATE TABLE nothing (id int PRIMARY KEY)`,
];
const rows = [
  `INSERT INTO plain WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
     SELECT i * 3, i % 7, CONCAT('row ', i), '2020-01-01 00:00:00.000001' + INTERVAL i SECOND FROM n`,
  `INSERT INTO typed (id,f,d,dm,n,bi,e,s,j,g,bl,bin,vb,t,y,dt,ts,txt,l1,u16,hidden) VALUES
    (1, 16777217, 0.1, 1.25, 12345678901234567890.123456789012345678901234567890, b'1010101010101', 'x', 'a,c',
     '{"a": 1, "b": [1.5, null, "ü"]}', ST_GeomFromText('POINT(1 2)', 4326), x'00ff10', x'01', x'00', '-838:59:59.000000',
     2020, '2020-02-29', '2020-01-01 00:00:00.123456', 'text', 'é', 'ñ', 5),
    (18446744073709551615, -0e0, -0e0, 0, 0, 0, '', '', '1', NULL, '', '', '', '00:00:00.000001', 1999, NULL, NULL, '', '', '', NULL)`,
  `INSERT INTO words VALUES ('apple','z',0.1,1),('Banana','a',1e10,2),('cherry ','m',3.3,3),('äpfel','z',4,4)`,
  `INSERT INTO bits VALUES (0,1),(1,2),(1048575,3)`,
  `INSERT INTO by_enum VALUES ('z',1),('m',2),('a',3)`,
  `INSERT INTO heap VALUES (1,'x'),(1,'x'),(1,'x'),(2,'y'),(NULL,NULL)`,
];

async function fill(connection: Connection): Promise<void> {
  await connection.query('DROP DATABASE IF EXISTS app');
  await connection.query('CREATE DATABASE app');
  await connection.query('USE app');
  await connection.query(
    "SET SESSION sql_mode = '', time_zone = '+00:00', sql_generate_invisible_primary_key = OFF",
  );
  for (const statement of [...tables, ...rows]) await connection.query(statement);
}

beforeAll(async () => {
  pair = await startMysqlPair();
  source = await openConnection(pair.source);
  target = await openConnection(pair.target);
  await fill(source);
  const [row] = await source.query<{ u: string }>('SELECT @@server_uuid AS u');
  await createCheckpoint(target, {
    name: 'test',
    configHash: '0'.repeat(64),
    workflowRun: 'test',
    sourceUuid: String(row?.u),
  });
  // Nobody applies here: the target is taken to be up to date with everything.
  await setStartPosition(target, 'test', {
    gtidSet: `${row?.u}:1-1000000`,
    file: 'binlog.999999',
    offset: 4,
  });
});

afterAll(async () => {
  await source.close();
  await target.close();
  await pair.stop();
});

beforeEach(async () => {
  await fill(target);
});

async function compare(chunkRows = 100): Promise<Verdict> {
  return await compareTables(
    {
      source: pair.source,
      target: pair.target,
      catalog: await readCatalog(source, ['app']),
      migration: 'test',
      lctn: 0,
      chunkRows,
      parallel: 2,
    },
    { signal: AbortSignal.timeout(30_000), onProgress: () => {} },
  );
}

describe('compareTables', () => {
  it('finds equal tables equal and says how much it compared', async () => {
    const verdict = await compare();
    expect(verdict).toMatchObject({ equal: true, differingCount: 0, unsettledCount: 0 });
    expect(Object.fromEntries(verdict.tables.map(({ table, rows: n }) => [table, n]))).toEqual({
      'app.plain': 900,
      'app.typed': 2,
      'app.words': 4,
      'app.bits': 3,
      'app.by_enum': 3,
      'app.heap': 5,
      'app.nothing': 0,
    });
    expect(verdict.tables.find(({ table }) => table === 'app.plain')?.chunks).toBeGreaterThan(5);
    expect(verdict.position.file).toMatch(/^binlog\./);
  });

  it.each([
    ['an integer', 'plain', 'UPDATE plain SET a = a + 1 WHERE id = 300', 'id=300'],
    [
      'a microsecond',
      'plain',
      'UPDATE plain SET c = c + INTERVAL 1 MICROSECOND WHERE id = 3',
      'id=3',
    ],
    ['a trailing space', 'plain', "UPDATE plain SET b = CONCAT(b, ' ') WHERE id = 2700", 'id=2700'],
    ['a case', 'plain', 'UPDATE plain SET b = UPPER(b) WHERE id = 30', 'id=30'],
    [
      'NULL for empty',
      'typed',
      'UPDATE typed SET txt = NULL WHERE id > 1',
      'id=18446744073709551615',
    ],
    ['one ulp of a FLOAT', 'typed', 'UPDATE typed SET f = 16777218 WHERE id = 1', 'id=1'],
    [
      'the sign of a FLOAT zero',
      'typed',
      'UPDATE typed SET f = 0 WHERE id > 1',
      'id=18446744073709551615',
    ],
    [
      'the sign of a DOUBLE zero',
      'typed',
      'UPDATE typed SET d = 0 WHERE id > 1',
      'id=18446744073709551615',
    ],
    [
      'one ulp of a DOUBLE',
      'typed',
      'UPDATE typed SET d = 0.10000000000000002 WHERE id = 1',
      'id=1',
    ],
    [
      'the last digit of a DECIMAL',
      'typed',
      'UPDATE typed SET n = n + 1e-30 WHERE id > 1',
      'id=18446744073709551615',
    ],
    ['a bit', 'typed', "UPDATE typed SET bi = b'1010101010100' WHERE id = 1", 'id=1'],
    [
      'an ENUM with the text of an error',
      'typed',
      'UPDATE typed SET e = 0 WHERE id > 1',
      'id=18446744073709551615',
    ],
    ['a SET', 'typed', "UPDATE typed SET s = 'a,b' WHERE id = 1", 'id=1'],
    [
      'a JSON number',
      'typed',
      `UPDATE typed SET j = '{"a": 1, "b": [1.6, null, "ü"]}' WHERE id = 1`,
      'id=1',
    ],
    [
      'the SRID of a point',
      'typed',
      "UPDATE typed SET g = ST_GeomFromText('POINT(1 2)', 0) WHERE id = 1",
      'id=1',
    ],
    ['a byte of a BLOB', 'typed', "UPDATE typed SET bl = x'00ff11' WHERE id = 1", 'id=1'],
    [
      'a trailing zero of a VARBINARY',
      'typed',
      "UPDATE typed SET vb = x'0000' WHERE id = 1",
      'id=1',
    ],
    ['a BINARY', 'typed', "UPDATE typed SET bin = x'0100000000000001' WHERE id = 1", 'id=1'],
    [
      'a fraction of a TIME',
      'typed',
      "UPDATE typed SET t = '00:00:00.000002' WHERE id > 1",
      'id=18446744073709551615',
    ],
    [
      'a TIMESTAMP',
      'typed',
      "UPDATE typed SET ts = '2020-01-01 00:00:00.123457' WHERE id = 1",
      'id=1',
    ],
    ['a letter of latin1', 'typed', "UPDATE typed SET l1 = 'è' WHERE id = 1", 'id=1'],
    ['a letter of utf16', 'typed', "UPDATE typed SET u16 = 'n' WHERE id = 1", 'id=1'],
    ['an invisible column', 'typed', 'UPDATE typed SET hidden = 6 WHERE id = 1', 'id=1'],
    [
      'the case of a key',
      'words',
      "UPDATE words SET w = 'banana' WHERE v = 2",
      'w=Banana, k=3, f=10000000000',
    ],
    [
      'a row of a FLOAT key',
      'words',
      'UPDATE words SET v = 9 WHERE v = 1',
      'w=apple, k=1, f=0.10000000149011612',
    ],
    ['a row of a BIT key', 'bits', 'UPDATE bits SET v = 9 WHERE v = 3', 'b=0x0fffff'],
    ['a row of an ENUM key', 'by_enum', 'UPDATE by_enum SET v = 9 WHERE v = 2', 'k=2'],
  ])('finds %s', async (_what, table, tamper, key) => {
    await target.query(tamper);
    const verdict = await compare();
    expect(verdict.equal).toBe(false);
    expect(verdict.differing).toEqual([{ table: `app.${table}`, key, kind: 'changed' }]);
  });

  it('finds values that were swapped between two rows', async () => {
    await target.query('UPDATE plain SET a = IF(id = 3, 2, 1) WHERE id IN (3, 6)');
    const verdict = await compare();
    expect(verdict.differing.map(({ key }) => key).sort()).toEqual(['id=3', 'id=6']);
  });

  it('names rows that only one side has, before the first, between and beyond the last', async () => {
    await target.query('DELETE FROM plain WHERE id IN (3, 1500, 2700)');
    await target.query('INSERT INTO plain (id) VALUES (-5), (301), (99999)');
    const verdict = await compare();
    const named = (kind: string) =>
      verdict.differing
        .filter((d) => d.kind === kind)
        .map(({ key }) => key)
        .sort();
    expect(named('missing')).toEqual(['id=1500', 'id=2700', 'id=3']);
    expect(named('extra')).toEqual(['id=-5', 'id=301', 'id=99999']);
  });

  it.each([
    ['missing', 'DELETE FROM heap WHERE a = 1 LIMIT 1'],
    ['extra', "INSERT INTO heap VALUES (1,'x')"],
    ['changed', "UPDATE heap SET b = 'Y' WHERE a = 2"],
    ['changed', "UPDATE heap SET a = 2, b = 'y' WHERE a = 1 LIMIT 1"],
  ])('finds a table without a key to differ (%s: %s)', async (kind, tamper) => {
    await target.query(tamper);
    const verdict = await compare();
    expect(verdict.differing).toMatchObject([{ table: 'app.heap', kind }]);
  });

  it('outlasts what the source allows to the sessions of applications', async () => {
    await target.query('UPDATE plain SET a = -1 WHERE id = 3');
    await source.query('SET GLOBAL wait_timeout = 1, GLOBAL max_execution_time = 60000');
    await target.query("UPDATE skyferry.migration SET gtid_set = ''");
    const applied = setTimeout(2000).then(() =>
      target.query("UPDATE skyferry.migration SET gtid_set = CONCAT(source_uuid, ':1-1000000')"),
    );
    try {
      expect(await compare()).toMatchObject({ differingCount: 1, unsettledCount: 0 });
      const limits = await withPair(pair, AbortSignal.timeout(30_000), (opened) =>
        opened.source.rows('SELECT @@SESSION.wait_timeout, @@SESSION.max_execution_time'),
      );
      expect(limits.flat().map(String)).toEqual(['28800', '0']);
    } finally {
      await applied;
      await source.query('SET GLOBAL wait_timeout = DEFAULT, GLOBAL max_execution_time = DEFAULT');
    }
  });

  it('takes rows of a table without a key in any order for equal', async () => {
    await target.query('DELETE FROM heap');
    await target.query("INSERT INTO heap VALUES (NULL,NULL),(2,'y'),(1,'x'),(1,'x'),(1,'x')");
    expect((await compare()).equal).toBe(true);
  });

  it('caps the names and counts all', async () => {
    await target.query('UPDATE plain SET a = a + 1');
    const verdict = await compare();
    expect(verdict.differing).toHaveLength(100);
    expect(verdict.differingCount).toBe(900);
    expect(verdict.tables.find(({ table }) => table === 'app.plain')?.differing).toBe(900);
  });

  it('fails a table that the target lacks, and a catalog without tables', async () => {
    await target.query('DROP TABLE nothing');
    const verdict = await compare();
    expect(verdict.differing).toEqual([
      { table: 'app.nothing', key: '(the table)', kind: 'missing' },
    ]);
    const empty = await compareTables(
      {
        source: pair.source,
        target: pair.target,
        catalog: { ...(await readCatalog(source, ['app'])), tables: [] },
        migration: 'test',
        lctn: 0,
        chunkRows: 100,
        parallel: 1,
      },
      { signal: AbortSignal.timeout(30_000), onProgress: () => {} },
    );
    expect(empty).toMatchObject({ equal: false, rows: 0, tables: [] });
  });
});
