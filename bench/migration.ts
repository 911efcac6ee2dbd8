import { removeCheckpoint, setStartPosition } from '../src/checkpoint/store.ts';
import { createCheckpoint } from '../src/checkpoint/take-name.ts';
import { migrationConfigSchema } from '../src/config/schema.ts';
import { readCatalog } from '../src/mysql/catalog/read.ts';
import type { Catalog } from '../src/mysql/catalog/types.ts';
import { withConnection } from '../src/mysql/connection.ts';
import type { Endpoint } from '../src/mysql/endpoint.ts';
import type { Position } from '../src/mysql/position.ts';
import { readLowerCaseTableNames, readServerUuid } from '../src/mysql/server-facts.ts';
import type { Bench } from './bench.ts';
import { SCHEMA } from './data.ts';

export const MIGRATION = 'bench';
export const { limits, verification } = migrationConfigSchema
  .pick({ limits: true, verification: true })
  .parse({});

export interface BenchJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  readonly migration: string;
  readonly lctn: number;
}

/** As an activity opens it: reads the catalog from the source. */
export async function openJob({ source, target, signal }: Bench): Promise<BenchJob> {
  const [catalog, lctn] = await Promise.all([
    withConnection(source.endpoint, { signal }, (c) => readCatalog(c, [SCHEMA])),
    withConnection(target.endpoint, { signal }, readLowerCaseTableNames),
  ]);
  const endpoints = { source: source.endpoint, target: target.endpoint };
  return { ...endpoints, catalog, lctn, migration: MIGRATION };
}

/** A checkpoint as if everything up to `position` were applied. */
export async function startMigration(bench: Bench, position: Position): Promise<void> {
  const sourceUuid = await readServerUuid(bench.source.admin);
  await withConnection(bench.target.endpoint, { signal: bench.signal }, async (target) => {
    await createCheckpoint(target, {
      name: MIGRATION,
      configHash: '-',
      workflowRun: '-',
      sourceUuid,
    });
    await setStartPosition(target, MIGRATION, position);
  });
}

export async function forgetMigration({ target }: Bench): Promise<void> {
  await removeCheckpoint(target.admin, MIGRATION);
}
