import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Catalog } from '../../src/mysql/catalog/types.ts';
import { displayName } from '../../src/mysql/identifier.ts';
import { createSampleDefiners } from '../../src/sandbox/sample/accounts.ts';
import { createSampleDatabase } from '../../src/sandbox/sample/create-sample-database.ts';
import { definitions } from '../../src/sandbox/sample/schemas.ts';
import { buildIndexes } from '../../src/schema/build-indexes.ts';
import { createSchemas } from '../../src/schema/create-schemas.ts';
import { createTables } from '../../src/schema/create-tables.ts';
import { dropMigratedTables } from '../../src/schema/drop-migrated-tables.ts';
import { createEvents, enableEvents } from '../../src/schema/events.ts';
import { addForeignKeys } from '../../src/schema/foreign-keys.ts';
import { createTriggers } from '../../src/schema/triggers.ts';
import { createViewsAndRoutines } from '../../src/schema/views-and-routines.ts';
import { startMysqlPair } from '../servers.ts';
import { compareObjects } from './compare-objects.ts';
import { cloudAdmin } from './hostile-schema.ts';
import { catalogOf, expectedOn, quiet, run } from './on-servers.ts';

const schemas = definitions.map(({ name }) => name);
const lctn = 1;
/** The target's spelling of the schema that holds a table. */
const home = (table: string) =>
  catalog.tables.find(({ name }) => name.name === table)?.name.schema.toLowerCase() ?? '';
let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let catalog: Catalog;
beforeAll(async () => {
  servers = await startMysqlPair({
    targetLowerCaseTableNames: 1,
    targetFlags: ['--sql-generate-invisible-primary-key=ON', '--event-scheduler=OFF'],
  });
  await createSampleDatabase(servers.source, { scale: 0.01, seed: 1, ...quiet() });
  catalog = await catalogOf(servers.source, schemas);
});
afterAll(() => servers?.stop());

test('the sample arrives whole, with its definers where the account may set them', async () => {
  const { target } = servers;
  await createSampleDefiners(target);
  const job = { target, catalog, lctn, migration: 'sample', parallel: 2 };
  await createSchemas(target, catalog, lctn);
  await createTables(target, catalog, lctn);
  await buildIndexes(job, quiet());
  await addForeignKeys(job, quiet());
  const notes = [
    ...(await createViewsAndRoutines(target, catalog, { definers: 'keep' })),
    ...(await createTriggers(target, catalog, { definers: 'keep' })),
    ...(await createEvents(target, catalog, { definers: 'keep' })),
  ];
  expect(notes.map(({ name, code }) => [name.name, code])).toEqual([
    ['purge_notes', 'DEFINER_MISSING'],
    ['forgotten_report', 'DEFINER_MISSING'],
  ]);
  await enableEvents(target, catalog);

  const there = await catalogOf(
    target,
    schemas.map((name) => name.toLowerCase()),
  );
  const tables = new Map(there.tables.map((table) => [displayName(table.name), table]));
  for (const table of catalog.tables) {
    const found = tables.get(displayName(table.name).toLowerCase());
    expect(found && expectedOn(lctn, found)).toBe(expectedOn(lctn, table));
  }
  const definers = (of: Catalog) =>
    [...of.views, ...of.routines, ...of.triggers, ...of.events]
      .map(({ name, definer }) => `${displayName(name).toLowerCase()} ${definer}`)
      .sort();
  expect(definers(there)).toEqual(definers(catalog));
  expect(there.events.map(({ name, status }) => [name.name, status])).toEqual(
    catalog.events.map(({ name, status }) => [name.name, status]),
  );
  expect(await compareObjects(target, catalog, lctn)).toEqual([]);
});

test('what was changed or dropped on the target is named', async () => {
  const { target } = servers;
  await run(target, [
    "SET SESSION sql_mode = ''",
    `CREATE TABLE ${home('account')}.scratch (a int)`,
    `ALTER TABLE ${home('every_type')}.every_type MODIFY a_char char(10) COLLATE utf8mb4_bin`,
    `ALTER TABLE ${home('customer')}.customer ADD COLUMN added int FIRST`,
    `ALTER TABLE ${home('account')}.account DROP FOREIGN KEY account_customer`,
    `DROP VIEW ${home('account')}.account_summary`,
    `DROP FUNCTION ${home('every_type')}.step_count`,
  ]);
  const found = await compareObjects(target, catalog, lctn);
  expect(found.map(({ name, what, differences }) => [name.name, what, differences])).toEqual([
    ['every_type', 'different', ['column a_char has another collation']],
    ['account', 'different', ['foreign key account_customer is missing']],
    ['customer', 'different', ['column added is not on the source']],
    ['account_summary', 'missing', []],
    ['step_count', 'missing', []],
  ]);
});

test('an account that may name definers gives up only the privileged and the missing ones', async () => {
  const target = { ...servers.target, user: 'namer', password: 'pw' };
  await run(servers.target, [
    ...cloudAdmin('pw').map((statement) => statement.replaceAll('cloud_admin', 'namer')),
    'GRANT SET_ANY_DEFINER ON *.* TO namer',
  ]);
  await dropMigratedTables(servers.target, catalog, lctn);
  await createTables(target, catalog, lctn);
  const notes = [
    ...(await createViewsAndRoutines(target, catalog, { definers: 'keep' })),
    ...(await createTriggers(target, catalog, { definers: 'keep' })),
    ...(await createEvents(target, catalog, { definers: 'keep' })),
  ];
  expect(notes.map(({ name, code }) => [name.name, code])).toEqual([
    ['purge_notes', 'DEFINER_REWRITTEN'],
    ['recompute_margins', 'DEFINER_REWRITTEN'],
    ['forgotten_report', 'DEFINER_REWRITTEN'],
    ['nightly recompute', 'DEFINER_REWRITTEN'],
  ]);
  await enableEvents(target, catalog);
  const kept = (
    await catalogOf(
      target,
      schemas.map((name) => name.toLowerCase()),
    )
  ).events;
  expect(kept.map(({ name, definer, status }) => [name.name, definer, status])).toEqual(
    catalog.events.map(({ name, definer, status }) => [
      name.name,
      name.name === 'nightly recompute' ? 'namer@%' : definer,
      status,
    ]),
  );
});
