import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { copyTables } from '../../src/copy/copy-tables.ts';
import { isFailure } from '../../src/failures.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import { converge } from '../../src/reconcile/converge.ts';
import { reconcile } from '../../src/reconcile/reconcile.ts';
import type { Migration } from '../replicate/lab.ts';
import {
  beginMigration,
  catchUp,
  differences,
  finishSchema,
  LCTN,
  raiseHighToNow,
  run,
} from '../replicate/lab.ts';
import { startMysqlPair } from '../servers.ts';

const tables = [
  `CREATE TABLE desk (id int PRIMARY KEY, parent int, v int,
     FOREIGN KEY (parent) REFERENCES desk (id) ON DELETE CASCADE)`,
  'CREATE TABLE job (code varchar(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v int)',
  `CREATE TABLE run (code varchar(20) COLLATE utf8mb4_0900_ai_ci, n int, v int, UNIQUE (v), PRIMARY KEY (code, n),
     FOREIGN KEY (code) REFERENCES job (code) ON UPDATE CASCADE ON DELETE CASCADE)`,
  `CREATE TABLE line (code varchar(20) COLLATE utf8mb4_0900_ai_ci, n int, l int, b blob, j json, PRIMARY KEY (code, n, l),
     FOREIGN KEY (code, n) REFERENCES run (code, n) ON UPDATE CASCADE ON DELETE CASCADE)`,
  `CREATE TABLE remark (run varchar(20) COLLATE utf8mb4_0900_ai_ci, n int, text varchar(20),
     FOREIGN KEY (run, n) REFERENCES run (code, n) ON UPDATE CASCADE ON DELETE CASCADE)`,
  'CREATE TABLE lone (id int PRIMARY KEY, v int)',
  'INSERT INTO desk VALUES (1, NULL, 0), (35, NULL, 0), (37, 35, 0), (42, 37, 0)',
  "INSERT INTO job VALUES ('alpha', 1), ('beta', 1), ('used', 1)",
  "INSERT INTO run VALUES ('alpha', 1, 1), ('beta', 1, 2), ('beta', 2, 3), ('used', 1, 4)",
  `INSERT INTO line VALUES ('alpha', 1, 1, 'a', '1'), ('beta', 1, 1, 'b', '2'), ('beta', 2, 1, 'c', '3'), ('used', 1, 1, x'00ff', '{}')`,
  'INSERT INTO lone VALUES (1, 1)',
];

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
});
afterAll(async () => {
  await servers.stop();
});

let migration: Migration;
beforeEach(async () => {
  migration = await beginMigration(servers, 'mend', ['mend'], tables, { indexes: false });
});

const signal = AbortSignal.timeout(100_000);
const options = { signal, onProgress: () => {} };
const jobOf = ({ job, start }: Migration) => ({ ...job, start, chunkRows: 100, parallel: 2 });
/** Tables that are copied already stay as they are. */
async function copy(...names: string[]): Promise<void> {
  const { catalog } = migration;
  const chosen = catalog.tables.filter(({ name }) => names.includes(name.name));
  const part = names.length === 0 ? catalog : { ...catalog, tables: chosen };
  await copyTables({ ...jobOf(migration), catalog: part }, options);
}
const events = async (...statements: string[]) =>
  await run(servers.source, ['USE mend', ...statements]);

test('a self-reference: a chain whose middle was gone before it was copied', async () => {
  await events(
    'INSERT INTO desk VALUES (69, 42, 1)',
    'UPDATE desk SET v = 2 WHERE id = 69',
    'DELETE FROM desk WHERE id = 35',
  );
  await copy();
  await catchUp(migration);
  expect(await differences(migration)).toEqual({ 'mend.desk': '0 missing, 1 extra' });
  await run(servers.target, ['UPDATE mend.lone SET v = 7']);
  expect(await reconcile(jobOf(migration), options)).toEqual({
    rounds: 2,
    repaired: [{ table: 'mend.desk', rows: 1 }],
  });
  expect(await differences(migration)).toEqual({ 'mend.lone': '1 missing, 1 extra' });
  await finishSchema(servers.target, migration.catalog, 'mend');
});

test('renames over two levels: rows missing under the new key and left under the old one', async () => {
  await copy('line');
  await events(
    "INSERT INTO line VALUES ('alpha', 1, 2, x'5c0a09', '[1.5]')",
    "UPDATE job SET code = 'gamma' WHERE code = 'alpha'",
    "UPDATE line SET b = 'later' WHERE code = 'gamma' AND l = 1",
  );
  await copy();
  await catchUp(migration);
  expect(await differences(migration)).toEqual({ 'mend.line': '1 missing, 2 extra' });
  expect(await reconcile(jobOf(migration), options)).toMatchObject({
    repaired: [{ table: 'mend.line', rows: 3 }],
  });
  expect(await differences(migration)).toEqual({});
});

test('one level: a key that another parent had before', async () => {
  await events(
    "DELETE FROM job WHERE code = 'used'",
    "UPDATE job SET code = 'USED' WHERE code = 'beta'",
  );
  await copy();
  await catchUp(migration);
  expect(await differences(migration)).toEqual({
    'mend.run': '2 missing, 0 extra',
    'mend.line': '2 missing, 0 extra',
  });
  const { repaired } = await reconcile(jobOf(migration), options);
  expect(new Set(repaired)).toEqual(
    new Set([
      { table: 'mend.line', rows: 2 },
      { table: 'mend.run', rows: 2 },
    ]),
  );
  expect(await differences(migration)).toEqual({});
});

test('keys that are equal by collation and differ in their bytes', async () => {
  await events(
    "INSERT INTO line VALUES ('alpha', 1, 2, 'x', NULL)",
    "UPDATE job SET code = 'ALPHA' WHERE code = 'alpha'",
  );
  await copy();
  await catchUp(migration);
  expect(await differences(migration)).toEqual({ 'mend.line': '1 missing, 1 extra' });
  await reconcile(jobOf(migration), options);
  expect(await differences(migration)).toEqual({});
});

test('interrupted at every step and called again', async () => {
  await copy('line', 'remark');
  const lines = Array.from({ length: 700 }, (_, i) => `('alpha', 1, ${i + 100}, 'many', '[]')`);
  await events(
    `INSERT INTO line VALUES ${lines.join(', ')}`,
    "INSERT INTO remark VALUES ('alpha', 1, 'a')",
    "UPDATE job SET code = 'gamma' WHERE code = 'alpha'",
  );
  await copy();
  await catchUp(migration);
  expect(await differences(migration)).toEqual({
    'mend.line': '701 missing, 701 extra',
    'mend.remark': '1 missing, 1 extra',
  });
  let calls = 0;
  for (let steps = 1; ; steps++) {
    const stop = new AbortController();
    let left = steps;
    const done = await reconcile(jobOf(migration), {
      signal: AbortSignal.any([signal, stop.signal]),
      onProgress: ({ step }) => {
        if (step !== undefined && --left === 0) stop.abort(new Error('killed'));
      },
    }).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
      return null;
    });
    calls++;
    if (done !== null) break;
  }
  expect(calls).toBeGreaterThan(3);
  expect(await differences(migration)).toEqual({});
});

test('a table without a key is copied anew', async () => {
  await copy();
  await events(
    "INSERT INTO remark VALUES ('alpha', 1, 'a'), ('alpha', 1, 'a'), ('beta', 1, 'b')",
    "UPDATE job SET code = 'gamma' WHERE code = 'alpha'",
  );
  // As if the middle had been copied after the rename: it is under its new key already.
  await run(servers.target, ["UPDATE mend.run SET code = 'gamma' WHERE code = 'alpha'"]);
  await raiseHighToNow(migration);
  await catchUp(migration);
  expect(await differences(migration)).toMatchObject({ 'mend.remark': '2 missing, 2 extra' });
  const { repaired } = await reconcile(jobOf(migration), options);
  expect(repaired).toContainEqual({ table: 'mend.remark', rows: 3 });
  expect(await differences(migration)).toEqual({});
  await events(
    "INSERT INTO remark VALUES ('beta', 1, 'b')",
    "DELETE FROM remark WHERE run = 'gamma' LIMIT 1",
    "UPDATE job SET code = 'delta' WHERE code = 'gamma'",
  );
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
});

test('a table without a key that a later change does not find its row in', async () => {
  await copy();
  await events(
    "INSERT INTO remark VALUES ('alpha', 1, 'a'), ('alpha', 1, 'b'), ('beta', 1, 'b')",
    "UPDATE job SET code = 'gamma' WHERE code = 'alpha'",
    "DELETE FROM remark WHERE text = 'a'",
  );
  await run(servers.target, ["UPDATE mend.run SET code = 'gamma' WHERE code = 'alpha'"]);
  await raiseHighToNow(migration);
  await expect(catchUp(migration)).rejects.toMatchObject({ code: 'ROWS_DIFFER' });
  expect(await converge(jobOf(migration), options)).toMatchObject({
    repaired: [
      { table: 'mend.remark', rows: 2 },
      { table: 'mend.line', rows: 2 },
    ],
  });
  expect(await differences(migration)).toEqual({});
});

test('only what a cascade reached is compared: not where no cascade can have gone wrong', async () => {
  await events('DELETE FROM desk WHERE id = 1', "DELETE FROM line WHERE code = 'alpha'");
  await copy();
  await catchUp(migration);
  await run(servers.target, ['UPDATE mend.run SET v = 70 WHERE v = 1']);
  expect(await reconcile(jobOf(migration), options)).toEqual({
    rounds: 1,
    repaired: [],
  });
  expect(await differences(migration)).toEqual({ 'mend.run': '1 missing, 1 extra' });
});

test('under writes that cascade all the time', async () => {
  const writing = new AbortController();
  const writers = Promise.all([1, 2, 3].map((seed) => writeChains(seed, writing.signal)));
  await setTimeout(500);
  await copy('line', 'desk');
  await setTimeout(500);
  await copy();
  await catchUp(migration);
  const { repaired } = await reconcile(jobOf(migration), options);
  expect(repaired.length).toBeGreaterThan(0);
  const steady = new AbortController();
  const applying = applyChanges(migration.job, { signal: steady.signal, onProgress: () => {} });
  await setTimeout(1000);
  steady.abort(new Error('enough'));
  await expect(applying).rejects.toThrow('enough');
  writing.abort();
  await writers;
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
});

test('a failure of the applier is the failure of it all', async () => {
  await events('INSERT INTO desk VALUES (69, 42, 1)', 'DELETE FROM desk WHERE id = 35');
  await copy();
  await catchUp(migration);
  await events('CREATE TABLE other (id int PRIMARY KEY)');
  await expect(reconcile(jobOf(migration), options)).rejects.toMatchObject({
    code: 'SCHEMA_CHANGED',
  });
});

/** Trees of desks and renamed jobs: grown, moved, cut down. */
async function writeChains(seed: number, until: AbortSignal): Promise<void> {
  await using source = await openConnection(servers.source, { database: 'mend' });
  let value = seed * 100_000;
  let random = seed;
  const below = (n: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((random / 2_147_483_648) * n);
  };
  while (!until.aborted) {
    value++;
    const code = `${seed}-${below(6)}`;
    const other = `${seed}-${below(6)}`;
    const statements = [
      `INSERT IGNORE INTO desk SELECT ${value}, MAX(id), 0 FROM desk WHERE id BETWEEN ${seed * 100_000} AND ${value}`,
      `INSERT IGNORE INTO desk VALUES (${value}, NULL, 0)`,
      `UPDATE desk SET v = v + 1 WHERE id = ${value - below(5)}`,
      below(8) === 0 ? `DELETE FROM desk WHERE id = ${value - below(40)}` : 'DO 1',
      `INSERT IGNORE INTO job VALUES ('${code}', 0)`,
      `INSERT IGNORE INTO run VALUES ('${code}', ${below(3)}, ${value})`,
      `INSERT IGNORE INTO line VALUES ('${code}', ${below(3)}, ${below(50)}, x'${value.toString(16).padStart(8, '0')}', '[]')`,
      below(3) === 0
        ? `UPDATE IGNORE job SET code = '${other}${below(2) === 0 ? '' : 'X'}' WHERE code = '${code}'`
        : 'DO 1',
      below(9) === 0 ? `DELETE FROM job WHERE code = '${other}'` : 'DO 1',
    ];
    for (const statement of statements) {
      // Writers get in each other's way.
      await source.query(statement).catch((error: unknown) => {
        if (!isFailure(error, 'TRANSIENT') && !isFailure(error, 'STATEMENT_FAILED')) throw error;
      });
    }
  }
}
