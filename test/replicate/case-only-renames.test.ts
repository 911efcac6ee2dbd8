import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyTables } from '../../src/copy/copy-tables.ts';
import { startMysqlPair } from '../servers.ts';
import {
  beginMigration,
  catchUp,
  countRows,
  differences,
  LCTN,
  raiseHighToNow,
  run,
} from './lab.ts';

/** Equal to the key by its collation, other bytes: case alone, and together with another column. */
const tables = [
  'CREATE TABLE job (code varchar(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v int)',
  `CREATE TABLE run (code varchar(20) COLLATE utf8mb4_0900_ai_ci, n int, PRIMARY KEY (code, n),
     FOREIGN KEY (code) REFERENCES job (code) ON UPDATE CASCADE ON DELETE CASCADE)`,
  `CREATE TABLE line (code varchar(20) COLLATE utf8mb4_0900_ai_ci, n int, l int, PRIMARY KEY (code, n, l),
     FOREIGN KEY (code, n) REFERENCES run (code, n) ON UPDATE CASCADE ON DELETE CASCADE)`,
  "INSERT INTO job VALUES ('abc', 1), ('def', 1), ('Straße', 1), ('gone', 1)",
  "INSERT INTO run VALUES ('abc', 1), ('ABC', 2), ('def', 1), ('strasse', 1), ('gone', 1)",
  "INSERT INTO line VALUES ('abc', 1, 1), ('Abc', 1, 2), ('ABC', 2, 1), ('abc', 2, 2), ('def', 1, 1), ('straSSe', 1, 1)",
];
const renames = [
  "UPDATE renamed.job SET code = 'ABC' WHERE code = 'abc'",
  "UPDATE renamed.job SET code = 'STRASSE', v = 2 WHERE code = 'strasse'",
  "UPDATE renamed.job SET code = 'DEFG' WHERE code = 'def'",
  "UPDATE renamed.job SET code = 'defg' WHERE code = 'DEFG'",
  "DELETE FROM renamed.job WHERE code = 'GONE'",
];

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
});
afterAll(async () => {
  await servers.stop();
});

test.each(['before', 'after'])('cascade %s the copy has converged', async (moment) => {
  const migration = await beginMigration(servers, 'renamed', ['renamed'], tables, {
    indexes: false,
  });
  await copyTables({ ...migration.job, parallel: 2, chunkRows: 100 }, { signal, onProgress });
  await run(servers.source, renames);
  if (moment === 'before') await raiseHighToNow(migration);
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
  expect(await countRows(servers.target, 'renamed.line')).toBe(6);
});

test('cascade to rows that were copied under their new spelling', async () => {
  const migration = await beginMigration(servers, 'renamed', ['renamed'], tables, {
    indexes: false,
  });
  await run(servers.source, renames);
  await copyTables({ ...migration.job, parallel: 2, chunkRows: 100 }, { signal, onProgress });
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
  expect(await countRows(servers.target, 'renamed.line')).toBe(6);
});

const signal = new AbortController().signal;
const onProgress = () => {};
