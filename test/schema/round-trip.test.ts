import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/mysql/catalog/types.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { displayName } from '../../src/mysql/identifier.ts';
import { analyzeTables } from '../../src/schema/analyze-tables.ts';
import { buildIndexes } from '../../src/schema/build-indexes.ts';
import { createSchemas } from '../../src/schema/create-schemas.ts';
import { createTables } from '../../src/schema/create-tables.ts';
import { dropMigratedTables } from '../../src/schema/drop-migrated-tables.ts';
import { createEvents, enableEvents } from '../../src/schema/events.ts';
import { findOrphans } from '../../src/schema/find-orphans.ts';
import { addForeignKeys } from '../../src/schema/foreign-keys.ts';
import { raiseAutoIncrement } from '../../src/schema/raise-auto-increment.ts';
import { createTriggers } from '../../src/schema/triggers.ts';
import { createViewsAndRoutines } from '../../src/schema/views-and-routines.ts';
import { startMysqlPair } from '../servers.ts';
import { compareObjects } from './compare-objects.ts';
import { cloudAdmin, hostilePrograms, hostileSchema, hostileSchemas } from './hostile-schema.ts';
import { catalogOf, expectedOn, quiet, run } from './on-servers.ts';

describe('a hostile schema on a target with GIPK, lower-case names and a restricted administrator', () => {
  let servers: Awaited<ReturnType<typeof startMysqlPair>>;
  let target: Endpoint;
  let catalog: Catalog;
  const lctn = 1;
  const job = () => ({ target, catalog, lctn, migration: 'test', parallel: 2 });
  const onTarget = () =>
    catalogOf(
      target,
      hostileSchemas.map((name) => name.toLowerCase()),
    );

  beforeAll(async () => {
    servers = await startMysqlPair({
      targetLowerCaseTableNames: 1,
      targetFlags: [
        '--sql-generate-invisible-primary-key=ON',
        '--sql-require-primary-key=ON',
        '--event-scheduler=OFF',
      ],
    });
    await run(servers.source, [...hostileSchema, ...hostilePrograms]);
    await run(servers.target, cloudAdmin('pw'));
    target = { ...servers.target, user: 'cloud_admin', password: 'pw' };
    catalog = await catalogOf(servers.source, hostileSchemas);
  });
  afterAll(() => servers?.stop());

  test('the load gets row keys and what it needs, nothing that could collide', async () => {
    await createSchemas(target, catalog, lctn);
    const created = await createTables(target, catalog, lctn);
    expect(created).toHaveLength(catalog.tables.length);
    const loaded = await onTarget();
    const keysOf = (name: string) =>
      loaded.tables
        .find((table) => table.name.name === name)
        ?.indexes.map(({ name: index, unique }) => [index, unique]);
    expect(keysOf('account')).toEqual([['PRIMARY', true]]);
    // Serves the cascade from Account; unique only once the rows have converged.
    expect(keysOf('position')).toEqual([
      ['PRIMARY', true],
      ['account_symbol', false],
    ]);
    expect(keysOf('l'.repeat(64))).toEqual([
      ['PRIMARY', true],
      ['n', false],
      ['tree', false],
    ]);
    expect(keysOf('counted')).toEqual([['n', false]]);
    expect(keysOf('a.b`),(')).toEqual([
      ['not null key', true],
      ['fk, (', false],
    ]);
    expect(loaded.tables.flatMap((table) => table.foreignKeys)).toEqual([]);
    expect(await createTables(target, catalog, lctn)).toEqual([]);
    expect(await compareObjects(target, catalog, lctn)).toContainEqual(
      expect.objectContaining({
        what: 'different',
        differences: [
          'index code is missing',
          'index twice is missing',
          'index seen_desc is missing',
          'index lower_code is missing',
          'index members is missing',
        ],
      }),
    );
  });

  test('with indexes and foreign keys every table is what it was on the source', async () => {
    await buildIndexes(job(), quiet());
    await addForeignKeys(job(), quiet());
    const found = new Map(
      (await onTarget()).tables.map((table) => [displayName(table.name).toLowerCase(), table]),
    );
    for (const table of catalog.tables) {
      const there = found.get(displayName(table.name).toLowerCase());
      expect(there && expectedOn(lctn, there)).toBe(expectedOn(lctn, table));
    }
    const before = await onTarget();
    await buildIndexes(job(), quiet());
    await addForeignKeys(job(), quiet());
    expect(await createTables(target, catalog, lctn)).toEqual([]);
    expect(await onTarget()).toEqual(before);
  });

  test('stored programs keep their session; definers are rewritten by name, what is broken is named', async () => {
    const first = await createViewsAndRoutines(target, catalog, { definers: 'keep' });
    await createTriggers(target, catalog, { definers: 'keep' });
    const events = await createEvents(target, catalog, { definers: 'keep' });
    const again = await createViewsAndRoutines(target, catalog, { definers: 'keep' });
    await createTriggers(target, catalog, { definers: 'keep' });
    expect(again).toEqual(first);
    expect(events.map(({ code }) => code)).toEqual(['DEFINER_REWRITTEN', 'DEFINER_REWRITTEN']);
    expect(
      first.filter(({ code }) => code === 'INVALID_ON_SOURCE').map(({ name }) => name.name),
    ).toEqual(['broken']);
    expect(first).toContainEqual(
      expect.objectContaining({
        kind: 'view',
        code: 'DEFINER_REWRITTEN',
        name: { schema: 'Trade', name: 'orphaned' },
      }),
    );
    const there = await onTarget();
    const sessionOf = (program: Catalog['routines'][number] | Catalog['triggers'][number]) => {
      const { definer: _d, name, createStatement, characterSetClient: _c, ...rest } = program;
      return {
        name: name.name,
        body: createStatement.replace(/DEFINER=\S+ /, '').toLowerCase(),
        ...rest,
        table: null,
      };
    };
    const programs = (of: Catalog) =>
      [...of.routines, ...of.triggers].map(sessionOf).sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(programs(there)).toEqual(programs(catalog));
    const collations = (of: Catalog) => of.schemas.map(({ collation }) => collation).sort();
    expect(collations(there)).toEqual(collations(catalog));
    expect(there.events.map(({ status }) => status)).toEqual(['DISABLED', 'DISABLED']);
    await withConnection(target, {}, async (connection) => {
      await connection.execute("INSERT INTO trade.account (code) VALUES ('c')");
      const rows = await connection.query(
        'SELECT t.twice, t.lit, a.hidden FROM trade.a_top t JOIN trade.account a USING (id)',
      );
      expect(rows).toEqual([{ twice: 2000, lit: 'ü),(', hidden: 2 }]);
      await connection.execute('DELETE FROM trade.account');
    });
    expect((await compareObjects(target, catalog, lctn)).map(({ name }) => name.name)).toEqual([
      'broken',
    ]);
  });

  test('events are enabled as on the source, and creating again does not disable them', async () => {
    await enableEvents(target, catalog);
    await enableEvents(target, catalog);
    await createEvents(target, catalog, { definers: 'keep' });
    const events = (await onTarget()).events;
    expect(events.map(({ name, status }) => [name.name, status])).toEqual([
      ['nightly', 'ENABLED'],
      ['paused', 'DISABLED'],
    ]);
    expect(events.map(({ sqlMode, timeZone, definer }) => [sqlMode, timeZone, definer])).toEqual(
      catalog.events.map(({ sqlMode, timeZone }) => [sqlMode, timeZone, 'cloud_admin@%']),
    );
  });

  test('orphans are found, across schemas and with NULLs as MySQL takes them', async () => {
    await withConnection(
      target,
      { session: ['SET SESSION foreign_key_checks = 0'] },
      async (connection) => {
        const long = `trade.${'l'.repeat(64)}`;
        await connection.execute(
          `INSERT INTO ${long} (n, grp, parent, grand) VALUES (1, 1, 1, 1), (2, 1, 9, NULL), (3, 1, 9, 9)`,
        );
        await connection.execute(
          'INSERT INTO `we``ird.db \'"`.`a.b``),(` (`i,d`, `account```) VALUES (1, 77), (2, 78), (3, NULL)',
        );
      },
    );
    const keys = catalog.tables.flatMap((table) => table.foreignKeys);
    const found = await findOrphans(target, keys, lctn, quiet());
    expect(
      Object.fromEntries(found.map(({ foreignKey, orphans }) => [foreignKey.name, orphans])),
    ).toEqual({ self: 1, 'fk,(': 2 });
  });

  test('counters are raised to the real ones of the source, never lowered', async () => {
    await run(servers.source, [
      'DROP TRIGGER `Trade`.first',
      "INSERT INTO `Trade`.Account (id, code) VALUES (5000, 'high')",
      'DELETE FROM `Trade`.Account',
      'INSERT INTO `Trade`.counted (n) VALUES (18446744073709551610)',
    ]);
    await run(target, [`ALTER TABLE trade.${'l'.repeat(64)} AUTO_INCREMENT = 99`]);
    const raised = await raiseAutoIncrement(servers.source, target, catalog, lctn);
    expect(raised.map(({ table, to }) => [table.name, to])).toEqual([
      ['Account', '5001'],
      ['counted', '18446744073709551611'],
    ]);
    expect(await raiseAutoIncrement(servers.source, target, catalog, lctn)).toEqual([]);
    await analyzeTables(target, catalog, lctn);
  });

  test('dropping takes the objects of the catalog and nothing else', async () => {
    await run(target, ['CREATE TABLE trade.mine (a int PRIMARY KEY)']);
    await dropMigratedTables(target, catalog, lctn);
    await dropMigratedTables(target, catalog, lctn);
    const left = await onTarget();
    expect(left.tables.map((table) => table.name.name)).toEqual(['mine']);
    expect([left.views, left.routines, left.triggers, left.events]).toEqual([[], [], [], []]);
    const missing = await compareObjects(target, catalog, lctn);
    expect(missing.filter(({ kind, what }) => kind === 'table' && what === 'missing')).toHaveLength(
      catalog.tables.length,
    );
  });

  test('a table that is there with other columns is a conflict, and nothing is created', async () => {
    await run(target, ['CREATE TABLE legacy.plain (z int PRIMARY KEY, small tinyint(1))']);
    await expect(createTables(target, catalog, lctn)).rejects.toMatchObject({
      code: 'MIGRATION_CONFLICT',
      message: expect.stringContaining('legacy.plain') as string,
    });
    expect((await onTarget()).tables.map((table) => table.name.name)).toEqual(['plain', 'mine']);
  });
});
