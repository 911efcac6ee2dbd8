import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../src/mysql/connection.ts';
import { startMysqlPair } from '../servers.ts';
import { beginMigration, catchUp, countRows, differences, finishSchema, LCTN, run } from './lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from './workload.ts';

/** 8.x keeps cascades to itself; 9.x logs them unless told otherwise. */
describe.each(['ON', 'OFF'])('random changes, native foreign keys %s', (native) => {
  let servers: Awaited<ReturnType<typeof startMysqlPair>>;
  beforeAll(async () => {
    servers = await startMysqlPair({
      targetLowerCaseTableNames: LCTN,
      sourceFlags: [`--loose-innodb-native-foreign-keys=${native}`],
    });
  });
  afterAll(async () => {
    await servers.stop();
  });

  test.each([1, 7, 1000])('end up equal with batches of %i rows', async (batchRows) => {
    const migration = await beginMigration(servers, 'random', workloadSchemas, workloadTables, {
      batchRows,
    });
    await Promise.all([7, 8, 9].map((seed) => writeRandomly(servers.source, seed, 300)));
    await catchUp(migration);
    expect(await differences(migration)).toEqual({});
    expect(await countRows(servers.source, 'Ledger.parent')).toBeGreaterThan(5);
  });

  test('rows without a key that change twice in one batch', async () => {
    const migration = await beginMigration(
      servers,
      'chain',
      ['app'],
      ['CREATE TABLE heap (a int, n int, KEY (a))'],
    );
    await run(servers.source, [
      'INSERT INTO app.heap VALUES (1, 14), (5, 14), (5, 14)',
      // To a place in the index where the target has looked already.
      'BEGIN',
      'UPDATE app.heap SET a = 3 WHERE a = 5',
      'UPDATE app.heap SET n = n + 1 WHERE a = 3',
      'DELETE FROM app.heap WHERE a = 3 LIMIT 1',
      'COMMIT',
    ]);
    await catchUp(migration);
    expect(await differences(migration)).toEqual({});
  });

  test('rows without a key whose unique values move on', async () => {
    const migration = await beginMigration(
      servers,
      'moving',
      ['app'],
      [
        'CREATE TABLE scanned (u int UNIQUE, n int)',
        'CREATE TABLE looked_up (a int, u int UNIQUE, n int, KEY (a))',
      ],
      { indexes: false },
    );
    await using target = await openConnection(servers.target);
    for (const table of ['scanned', 'looked_up']) {
      const keys = await target.query(`SHOW INDEX FROM app.${table}`);
      expect(keys).toMatchObject([{ Key_name: 'u', Non_unique: 1 }]);
    }
    await finishSchema(servers.target, migration.catalog, 'moving');
    const rows = [1, 2, 3, 4];
    await run(servers.source, [
      `INSERT INTO app.scanned VALUES ${rows.map((u) => `(${u}, ${u})`).join()}, (NULL, 5)`,
      `INSERT INTO app.looked_up VALUES ${rows.map((u) => `(1, ${u}, ${u})`).join()}, (1, NULL, 5)`,
      'UPDATE app.scanned SET u = u + 1 ORDER BY u DESC',
      'UPDATE app.looked_up SET u = u + 1 ORDER BY u DESC',
    ]);
    await catchUp(migration);
    expect(await differences(migration)).toEqual({});
  });

  test('cascades over several levels of FLOAT keys', async () => {
    const key = 'id int PRIMARY KEY, k float, UNIQUE (k)';
    const refers = (parent: string) =>
      `FOREIGN KEY (k) REFERENCES ${parent} (k) ON DELETE CASCADE ON UPDATE CASCADE`;
    const migration = await beginMigration(
      servers,
      'floats',
      ['app'],
      [
        `CREATE TABLE a (${key})`,
        `CREATE TABLE b (${key}, ${refers('a')})`,
        `CREATE TABLE c (${key}, ${refers('b')})`,
      ],
    );
    await run(servers.source, [
      ...['a', 'b', 'c'].map((t) => `INSERT INTO app.${t} VALUES (1, 1.1), (2, 16777217), (3, 3)`),
      'UPDATE app.a SET k = 0.3 WHERE id = 1',
      'DELETE FROM app.a WHERE id = 2',
    ]);
    await catchUp(migration);
    expect(await differences(migration)).toEqual({});
  });
});
