import { copyTables } from '../../src/copy/copy-tables.ts';
import { readExecuted } from '../../src/mysql/watermark.ts';
import { buildIndexes } from '../../src/schema/build-indexes.ts';
import { createSchemas } from '../../src/schema/create-schemas.ts';
import { createTables } from '../../src/schema/create-tables.ts';
import type { Bench } from '../bench.ts';
import { limits, openJob, startMigration } from '../migration.ts';

/** The engine's steps one after the other, as the workflow runs them, with a new configuration's limits. */
export async function skyferryLoad(bench: Bench): Promise<void> {
  const options = { signal: bench.signal, onProgress: () => {} };
  await startMigration(bench, await readExecuted(bench.source.admin));
  const job = await openJob(bench);
  await createSchemas(job.target, job.catalog, job.lctn);
  await createTables(job.target, job.catalog, job.lctn);
  await copyTables({ ...job, parallel: limits.copyParallel, chunkRows: limits.chunkRows }, options);
  await buildIndexes({ ...job, parallel: limits.indexParallel }, options);
}
