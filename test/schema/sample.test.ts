import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Catalog } from '../../src/mysql/catalog/types.ts';
import { displayName } from '../../src/mysql/identifier.ts';
import { createSampleDatabase } from '../../src/sandbox/sample/create-sample-database.ts';
import { definitions } from '../../src/sandbox/sample/schemas.ts';
import { buildIndexes } from '../../src/schema/build-indexes.ts';
import { compareObjects } from '../../src/schema/compare-objects.ts';
import { createSchemas } from '../../src/schema/create-schemas.ts';
import { createTables } from '../../src/schema/create-tables.ts';
import { createEvents, enableEvents } from '../../src/schema/events.ts';
import { addForeignKeys } from '../../src/schema/foreign-keys.ts';
import { createTriggers } from '../../src/schema/triggers.ts';
import { createViewsAndRoutines } from '../../src/schema/views-and-routines.ts';
import { startMysqlPair } from '../servers.ts';
import { catalogOf, expectedOn, quiet } from './on-servers.ts';

const schemas = definitions.map(({ name }) => name);
const lctn = 1;
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
  expect(notes).toEqual([]);
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
