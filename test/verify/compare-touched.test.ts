import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Position } from '../../src/mysql/position.ts';
import { readExecuted } from '../../src/mysql/watermark.ts';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import { compareTables } from '../../src/verify/compare-tables.ts';
import { compareTouched } from '../../src/verify/compare-touched.ts';
import type { Migration } from '../replicate/lab.ts';
import { beginMigration, catchUp, LCTN } from '../replicate/lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from '../replicate/workload.ts';
import { startMysqlPair } from '../servers.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let source: Connection;
let target: Connection;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
  source = await openConnection(servers.source);
  target = await openConnection(servers.target);
});

afterAll(async () => {
  await source.close();
  await target.close();
  await servers.stop();
});

const options = { signal: AbortSignal.timeout(150_000), onProgress: () => {} };
const jobOf = ({ job }: Migration) => ({ ...job, chunkRows: 20, parallel: 2 });

async function touchedAtRest(migration: Migration, from: Position) {
  await catchUp(migration);
  const to = await readExecuted(source);
  return await compareTouched({ ...jobOf(migration), from, to, atRest: true }, options);
}

describe('verification under writes', () => {
  it('raises no false alarm, and covers every change by the time the writers stop', async () => {
    const migration = await beginMigration(servers, 'busy', workloadSchemas, workloadTables);
    await writeRandomly(servers.source, 1, 150);
    const applying = new AbortController();
    const applied = applyChanges(migration.job, {
      signal: applying.signal,
      onProgress: () => {},
    }).catch(() => {});
    const writing = new AbortController();
    const writers = Promise.all(
      [2, 3, 4].map(async (seed) => {
        for (let round = 0; !writing.signal.aborted; round++) {
          await writeRandomly(servers.source, seed + 10 * round, 50);
        }
      }),
    );
    let unsettled = 0;
    let compared = 0;
    let verdict = await compareTables(jobOf(migration), options);
    expect(verdict).toMatchObject({ equal: true, differing: [] });
    expect(verdict.rows).toBeGreaterThan(50);
    for (let round = 0; round < 4; round++) {
      unsettled += verdict.unsettledCount;
      const again = { ...jobOf(migration), from: verdict.position, to: null, atRest: false };
      verdict = await compareTouched(again, options);
      expect(verdict).toMatchObject({ equal: true, differing: [] });
      compared += verdict.rows;
    }
    const whole = await compareTables(jobOf(migration), options);
    expect(whole).toMatchObject({ equal: true, differing: [] });
    writing.abort();
    await writers;
    applying.abort();
    await applied;
    const rest = await touchedAtRest(migration, verdict.position);
    expect(rest).toMatchObject({ equal: true, differing: [], unsettledCount: 0 });
    expect(rest.rows).toBeGreaterThan(0);
    expect(compared).toBeGreaterThan(100);
    expect(unsettled).toBeLessThan(100);
  }, 150_000);
});

describe('compareTouched at rest', () => {
  async function begin(): Promise<{ migration: Migration; from: Position }> {
    const migration = await beginMigration(servers, 'still', workloadSchemas, workloadTables);
    await source.query('USE Ledger');
    await target.query('USE ledger');
    await source.query("INSERT INTO parent VALUES (1,'a',1,NULL),(2,'b',1,NULL),(3,'c',1,NULL)");
    await source.query('INSERT INTO Child (id, parent_id, v) VALUES (10,1,1),(20,2,2),(30,3,3)');
    await source.query("INSERT INTO grand VALUES (100,10,'x'),(200,20,'y')");
    await source.query('INSERT INTO loose (id, parent_id) VALUES (1000,1),(2000,2)');
    await source.query("INSERT INTO heap VALUES (1,'x',1.5),(1,'x',1.5)");
    await source.query('INSERT INTO heap_child VALUES (1,1),(2,2)');
    await source.query("INSERT INTO folded VALUES ('Ab',1)");
    await catchUp(migration);
    return { migration, from: await readExecuted(source) };
  }
  const names = ({ differing }: Awaited<ReturnType<typeof touchedAtRest>>) =>
    differing.map(({ table, key, kind }) => `${table} ${key} ${kind}`).sort();
  const tamper = async (...statements: string[]): Promise<void> => {
    await target.query('SET SESSION foreign_key_checks = 0');
    for (const statement of statements) await target.query(statement);
  };

  it('compares nothing when nothing was touched', async () => {
    const { migration, from } = await begin();
    expect(await touchedAtRest(migration, from)).toMatchObject({ equal: true, rows: 0 });
  });

  it('finds touched rows that differ: changed, missing, extra, in place of another', async () => {
    const { migration, from } = await begin();
    await source.query("UPDATE parent SET doc = '[1]' WHERE id = 1");
    await source.query("INSERT INTO parent VALUES (4,'d',1,NULL)");
    await source.query("INSERT INTO folded VALUES ('zz',2)");
    await source.query("UPDATE folded SET name = 'AB' WHERE name = 'ab'");
    await source.query("DELETE FROM folded WHERE name = 'zz'");
    expect((await touchedAtRest(migration, from)).equal).toBe(true);
    await tamper(
      "UPDATE parent SET doc = '[2]' WHERE id = 1",
      'DELETE FROM parent WHERE id = 4',
      "INSERT INTO folded VALUES ('ZZ',2)",
      "UPDATE folded SET name = 'aB' WHERE name = 'ab'",
    );
    const verdict = await touchedAtRest(migration, from);
    expect(names(verdict)).toEqual([
      'Ledger.folded name=Ab changed',
      'Ledger.folded name=zz extra',
      'Ledger.parent id=1 changed',
      'Ledger.parent id=4 missing',
    ]);
    expect(verdict.equal).toBe(false);
  });

  it('finds what a cascade left behind, without an event of the children in the binlog', async () => {
    const { migration, from } = await begin();
    await source.query('DELETE FROM parent WHERE id = 1');
    await source.query('UPDATE parent SET id = 22 WHERE id = 2');
    expect((await touchedAtRest(migration, from)).equal).toBe(true);
    await tamper(
      'INSERT INTO child (id, parent_id, v) VALUES (10,1,1)',
      'UPDATE loose SET parent_id = 1 WHERE id = 1000',
      'UPDATE child SET v = 9 WHERE id = 20',
      'INSERT INTO heap_child VALUES (1,1)',
    );
    const verdict = await touchedAtRest(migration, from);
    expect(names(verdict)).toEqual([
      'Ledger.Child id=10 extra',
      'Ledger.Child id=20 changed',
      'Ledger.heap_child (no key) 1 rows on the source, 2 on the target extra',
      'Ledger.loose id=1000 changed',
    ]);
    expect(verdict.orphansPossible.map(({ table }) => table.name).sort()).toEqual([
      'grand',
      'loose',
    ]);
  });

  it('finds a row again by every type of key: one that is not found would count as equal', async () => {
    const keys: readonly (readonly [string, ...string[]])[] = [
      ['binary(6)', "x'0100'", "x'000000000001'", "''"],
      ['varbinary(6)', "x'0100'", "x'01'", "''"],
      ['char(6)', "'a'", "'b '", "'é'", "''"],
      ['char(6) CHARACTER SET latin1 COLLATE latin1_bin', "'a'", "'é'", "'B'"],
      ['varchar(6) CHARACTER SET utf16', "'a'", "'é'", "'a b'"],
      ['varchar(6) CHARACTER SET utf32', "'a'", "'é'", "''"],
      ['varchar(6) CHARACTER SET gb18030', "'a'", "'é'", "''"],
      ['varchar(6) CHARACTER SET sjis', "'a'", "'ｱ'", "''"],
      ['varchar(6) CHARACTER SET utf8mb3', "'é'", String.raw`'x\\y'`, "'q''q'"],
      ['decimal(20,6)', '-1.5', '0', '12345678901234.654321'],
      ['int zerofill', '1', '99'],
      ['bigint', '-9223372036854775808', '9223372036854775807'],
      ['float', '0.1', '1e10', '1e-30', '3.4e38', '-0e0'],
      ['float(7,3)', '0.1', '1234.567'],
      ['double', '0.1', '1e300', '5e-324', '-1.7976931348623157e308'],
      ['double(10,2)', '0.1', '1234567.12'],
      ['date', "'2020-02-29'", "'0000-00-00'", "'2020-00-00'"],
      ['time(6)', "'-838:59:59'", "'-00:00:00.5'", "'0'"],
      ['datetime(3)', "'2020-02-29 01:02:03.123'", "'0000-00-00'", "'2020-00-01'"],
      ['timestamp(6)', "'2020-10-25 01:30:00.000001'", "'0000-00-00'"],
      ['year', '2020', '0', '2155'],
      ['bit(64)', '0', '18446744073709551615'],
      ["enum('a','b','')", "'b'", "''", '0'],
      ["set('a','b','c')", "'a,c'", "''"],
    ];
    const migration = await beginMigration(
      servers,
      'keys',
      ['keyed'],
      keys.map(([type], i) => `CREATE TABLE t${i} (k ${type} NOT NULL PRIMARY KEY, v int)`),
    );
    const from = await readExecuted(source);
    await using lax = await openConnection(servers.source, {
      session: ["SET SESSION sql_mode = '', time_zone = '+00:00'"],
    });
    for (const [i, [, ...values]] of keys.entries())
      await lax.query(
        `INSERT INTO keyed.t${i} VALUES ${values.map((k, v) => `(${k}, ${v})`).join(', ')}`,
      );
    expect(await touchedAtRest(migration, from)).toMatchObject({ equal: true });
    for (const i of keys.keys()) await target.query(`UPDATE keyed.t${i} SET v = v + 100`);
    const rows = Object.fromEntries(keys.map(([, ...values], i) => [`keyed.t${i}`, values.length]));
    for (const verdict of [
      await touchedAtRest(migration, from),
      await compareTables(jobOf(migration), options),
    ])
      expect(
        Object.fromEntries(verdict.tables.map(({ table, differing }) => [table, differing])),
      ).toEqual(rows);
  });

  it('goes through more touched rows than one batch holds', async () => {
    const { migration, from } = await begin();
    await source.query('SET SESSION cte_max_recursion_depth = 100000');
    await source.query(
      `INSERT INTO folded WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000)
         SELECT i, i FROM n`,
    );
    expect(await touchedAtRest(migration, from)).toMatchObject({ equal: true, rows: 45_000 });
    await tamper("UPDATE folded SET v = 0 WHERE name IN ('1', '30000', '45000')");
    expect(names(await touchedAtRest(migration, from))).toEqual([
      'Ledger.folded name=1 changed',
      'Ledger.folded name=30000 changed',
      'Ledger.folded name=45000 changed',
    ]);
  });

  it('compares a touched table without a key as a whole', async () => {
    const { migration, from } = await begin();
    await source.query("INSERT INTO heap VALUES (2,'y',0.1)");
    expect((await touchedAtRest(migration, from)).equal).toBe(true);
    await tamper("INSERT INTO heap VALUES (1,'x',1.5)", 'DELETE FROM heap WHERE a = 2');
    expect((await touchedAtRest(migration, from)).differing).toMatchObject([
      { table: 'Ledger.heap', kind: 'changed' },
    ]);
  });
});
