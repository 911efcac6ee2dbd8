import { requireCheckpoint } from '../checkpoint/store.ts';
import { resolveEndpoint } from '../config/endpoints.ts';
import type { LocatedConfig } from '../config/located.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import { readCatalog } from '../mysql/catalog/read.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { readLowerCaseTableNames } from '../mysql/server-facts.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** What every engine works on. Holds resolved secrets: it never leaves the activity. */
export interface Job {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
}

/**
 * A catalog may be large, so it does not travel through the workflow: each activity reads it from the source
 * and makes sure that it is still the one that the migration was provisioned with (SCHEMA_CHANGED).
 */
export async function openJob(
  deps: ActivityDependencies,
  config: LocatedConfig,
  signal: AbortSignal,
): Promise<Job> {
  const { source, target } = await resolveSides(deps, config);
  const [catalog, { lctn, catalogHash }] = await Promise.all([
    withConnection(source, { signal }, (c) => readCatalog(c, config.schemas)),
    withConnection(target, { signal }, async (c) => ({
      lctn: await readLowerCaseTableNames(c),
      catalogHash: (await requireCheckpoint(c, config.name)).catalogHash,
    })),
  ]);
  if (catalogHash !== null && catalogHash !== catalog.fingerprint) {
    throw schemaChanged(config);
  }
  return { source, target, catalog, migration: config.name, lctn };
}

function schemaChanged({ name, engine }: LocatedConfig): SkyferryFailure {
  return new SkyferryFailure(
    'SCHEMA_CHANGED',
    'tables of the source are not defined as they were when the migration began',
    {
      safe: 'the source takes writes as before; the target is as of the last applied position',
      next:
        engine === 'azure-dms'
          ? 'a task of Azure DMS does not survive that: retry-phase empties the target and loads it anew with the definitions as they are then; switch-engine does so with another engine'
          : `put the definitions back and send retry-phase, or abort ${name} and start again`,
    },
  );
}

/** An account on the target alone, for steps that only look at the checkpoint. */
export async function resolveTarget(
  { secrets }: ActivityDependencies,
  config: LocatedConfig,
): Promise<Endpoint> {
  return await resolveEndpoint(config.target, secrets);
}

export async function resolveSides(
  { secrets }: ActivityDependencies,
  config: LocatedConfig,
): Promise<{ source: Endpoint; target: Endpoint }> {
  const [source, target] = await Promise.all([
    resolveEndpoint(config.source, secrets),
    resolveEndpoint(config.target, secrets),
  ]);
  return { source, target };
}
