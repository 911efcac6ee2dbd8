import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requireCheckpoint } from '../../src/checkpoint/store.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { startMysqlPair } from '../servers.ts';
import type { Migration } from './lab.ts';
import { beginMigration, binlogEnd, catchUp, countRows, differences, LCTN, run } from './lab.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let migration: Migration;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
});
afterAll(async () => {
  await servers.stop();
});
beforeEach(async () => {
  migration = await beginMigration(
    servers,
    'm',
    ['app'],
    [
      'CREATE TABLE t (id int PRIMARY KEY, v varchar(20))',
      'CREATE TABLE heap (a int, b varchar(20))',
    ],
  );
});

describe('what may change the schema', () => {
  test.each([
    'ALTER TABLE app.t ADD COLUMN w int',
    '/*!80000 ALTER */ TABLE `app`.`t` ADD COLUMN w int',
    'TRUNCATE TABLE app.t',
    'RENAME TABLE app.t TO app.u, app.heap TO app.t',
    'CREATE INDEX i ON app.t (v)',
    'CREATE TABLE app.made AS SELECT 1 AS one',
    'CREATE VIEW app.seen AS SELECT 1',
    'DROP TABLE app.t',
    'DROP DATABASE app',
  ])('stops: %s', async (statement) => {
    await run(servers.source, ["INSERT INTO app.t VALUES (1, 'before')"]);
    const before = await binlogEnd(servers.source);
    await run(servers.source, [statement]);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
    expect(await countRows(servers.target, 'app.t')).toBe(1);
    const { position } = await withConnection(servers.target, {}, (c) => requireCheckpoint(c, 'm'));
    expect(position).toMatchObject(before);
  });

  test('stops when the statement relies on the default schema', async () => {
    await run(servers.source, ['USE app', 'ALTER TABLE t ADD COLUMN w int']);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
  });

  test('other schemas and accounts pass', async () => {
    await run(servers.source, [
      'DROP DATABASE IF EXISTS other',
      'CREATE DATABASE other',
      'CREATE TABLE other.t (id int PRIMARY KEY)',
      'CREATE TABLE other.copy AS SELECT 1 AS one',
      'USE other',
      'ALTER TABLE t ADD COLUMN v int',
      'INSERT INTO t VALUES (1, 1)',
      'USE app',
      'TRUNCATE TABLE other.t',
      'DROP TABLE other.t',
      "CREATE USER IF NOT EXISTS passing@localhost IDENTIFIED BY 'x'",
      'GRANT SELECT ON app.* TO passing@localhost',
      'DROP USER passing@localhost',
      'ANALYZE TABLE app.t',
      'FLUSH TABLES',
      "INSERT INTO app.t VALUES (1, 'after')",
    ]);
    await catchUp(migration);
    expect(await differences(migration)).toEqual({});
    expect(await countRows(servers.target, 'app.t')).toBe(1);
  });
});

describe('what cannot be applied exactly', () => {
  test('statement-format changes stop', async () => {
    await run(servers.source, [
      "SET SESSION binlog_format = 'STATEMENT'",
      "INSERT INTO app.t VALUES (1, 'x')",
    ]);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'BINLOG_UNSUPPORTED' });
  });

  test('row images without all columns stop', async () => {
    await run(servers.source, [
      "INSERT INTO app.t VALUES (1, 'x')",
      "SET SESSION binlog_row_image = 'MINIMAL'",
      "UPDATE app.t SET v = 'y'",
    ]);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'BINLOG_UNSUPPORTED' });
  });

  test('prepared XA transactions with rows of the migration stop', async () => {
    await run(servers.source, [
      "XA START 'x'",
      "INSERT INTO app.t VALUES (1, 'x')",
      "XA END 'x'",
      "XA PREPARE 'x'",
      "XA COMMIT 'x'",
    ]);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'BINLOG_UNSUPPORTED' });
  });

  test('the commit of one that was prepared before: that of another schema passes, of the migration it stops', async () => {
    const xa = (name: string, table: string) => [
      `XA START '${name}'`,
      `INSERT INTO ${table} VALUES (9, 'xa')`,
      `XA END '${name}'`,
      `XA PREPARE '${name}'`,
    ];
    await run(servers.source, [
      'CREATE DATABASE IF NOT EXISTS aside',
      'CREATE TABLE IF NOT EXISTS aside.t (id int PRIMARY KEY, v varchar(20))',
    ]);
    await run(servers.source, xa('theirs', 'aside.t'));
    await catchUp(migration);
    await run(servers.source, ['FLUSH BINARY LOGS', "XA COMMIT 'theirs'"]);
    await run(servers.source, ["INSERT INTO app.t VALUES (1, 'after')"]);
    await catchUp(migration);
    expect(await differences(migration)).toEqual({});

    await run(servers.source, xa('ours', 'app.t'));
    const executed = await withConnection(servers.source, {}, (c) =>
      c.query('SELECT @@GLOBAL.gtid_executed AS gtids'),
    );
    await withConnection(servers.target, {}, (c) =>
      c.query('UPDATE skyferry.migration SET gtid_set = ?', [String(executed[0]?.['gtids'])]),
    );
    await run(servers.source, ["XA COMMIT 'ours'"]);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'BINLOG_UNSUPPORTED' });
  });

  test('a row of a table without a key that is missing on the target stops', async () => {
    await run(servers.source, ["INSERT INTO app.heap VALUES (1, 'x'), (2, 'y')"]);
    await catchUp(migration);
    await run(servers.target, ['DELETE FROM app.heap WHERE a = 1']);
    await run(servers.source, ['DELETE FROM app.heap WHERE a = 1']);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'ROWS_DIFFER' });
  });

  test('another source server stops', async () => {
    await run(servers.target, ['UPDATE skyferry.migration SET source_uuid = UUID()']);
    await expect(catchUp(migration)).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT' });
  });
});

test('a compressed and a one-phase XA transaction are applied', async () => {
  await run(servers.source, [
    'SET SESSION binlog_transaction_compression = ON',
    "INSERT INTO app.t VALUES (1, 'x'), (2, 'y')",
    "UPDATE app.t SET v = 'z' WHERE id = 2",
    "XA START 'one'",
    "INSERT INTO app.t VALUES (3, 'xa')",
    "XA END 'one'",
    "XA COMMIT 'one' ONE PHASE",
  ]);
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
  expect(await countRows(servers.target, 'app.t')).toBe(3);
});

test('the end of the binlog after a rotation without transactions is reached', async () => {
  await run(servers.source, ["INSERT INTO app.t VALUES (1, 'x')", 'FLUSH BINARY LOGS']);
  const position = await catchUp(migration);
  expect(position).toMatchObject(await binlogEnd(servers.source));
});
