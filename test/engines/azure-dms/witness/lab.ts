import { setTimeout as delay } from 'node:timers/promises';
import { acquireEpoch } from '../../../../src/checkpoint/epoch.ts';
import type { Checkpoint } from '../../../../src/checkpoint/store.ts';
import {
  removeCheckpoint,
  requireCheckpoint,
  setStartPosition,
} from '../../../../src/checkpoint/store.ts';
import { createCheckpoint } from '../../../../src/checkpoint/take-name.ts';
import { openConnection, withConnection } from '../../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../../src/mysql/endpoint.ts';
import type { Position } from '../../../../src/mysql/position.ts';
import { applyChanges } from '../../../../src/replicate/apply-changes.ts';
import type { WitnessOptions } from '../../../../src/engines/azure-dms/witness/watcher.ts';
import { witness } from '../../../../src/engines/azure-dms/witness/witness.ts';
import { holdingEpoch } from '../../../../src/replicate/holding-epoch.ts';
import type { Migration } from '../../../replicate/lab.ts';
import { beginMigration } from '../../../replicate/lab.ts';
import type { Running } from '../../../replicate/running.ts';
import { start } from '../../../replicate/running.ts';

export const shop = [
  'CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, n int NOT NULL, note varchar(20))',
  'CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL)',
  'CREATE TABLE jobs (id int AUTO_INCREMENT PRIMARY KEY, what varchar(20) NOT NULL)',
  'CREATE TABLE docs (id int PRIMARY KEY, doc json)',
  'CREATE TABLE heap (n int)',
  'INSERT INTO counter VALUES (1, 0)',
  "INSERT INTO docs VALUES (1, '{}')",
];

/** Orders, one row that is always changing, and jobs that do not live long. Returns how many orders. */
export function shopping(source: Endpoint): { stop(): Promise<number> } {
  const state = { goesOn: true };
  const work = (async () => {
    await using c = await openConnection(source, { database: 'shop' });
    let n = 0;
    for (; state.goesOn; n++) {
      await c.query('BEGIN');
      await c.query(`INSERT INTO orders (n) VALUES (${n})`);
      await c.query('UPDATE counter SET n = n + 1');
      await c.query("INSERT INTO jobs (what) VALUES ('send')");
      await c.query('COMMIT');
      if (n % 3 === 0) await c.query('DELETE FROM jobs ORDER BY id LIMIT 3');
      await delay(n % 5);
    }
    return n;
  })();
  return {
    stop: async () => {
      state.goesOn = false;
      return await work;
    },
  };
}

/** A migration that is witnessed, and another one of the same tables whose applier stands in for DMS. */
export async function beginWitnessed(
  servers: { source: Endpoint; target: Endpoint },
  name: string,
  schemas: readonly string[],
  tables: readonly string[],
): Promise<{ migration: Migration; standIn: Migration }> {
  const migration = await beginMigration(servers, name, schemas, tables, { lctn: 0 });
  const other = `${name}-stand-in`;
  const position = migration.start;
  await withConnection(servers.target, {}, async (c) => {
    await removeCheckpoint(c, other);
    const { sourceUuid } = await requireCheckpoint(c, name);
    await createCheckpoint(c, { name: other, configHash: 'c', workflowRun: 'w', sourceUuid });
    await setStartPosition(c, other, position);
    await acquireEpoch(c, other);
  });
  return { migration, standIn: { ...migration, job: { ...migration.job, migration: other } } };
}

export function startApplier({ job }: Migration): Running<Position> {
  return start((options) => applyChanges(job, options));
}

export function startWitness(
  { job }: Migration,
  options: Partial<Pick<WitnessOptions, 'settled' | 'until' | 'patienceMs'>> = {},
): Running<Position> {
  return start(({ signal, onProgress }) =>
    holdingEpoch(job, signal, (holder) =>
      witness(job, holder, { settled: () => false, ...options, signal, onProgress }),
    ),
  );
}

export function checkpointOf({ job }: Migration): Promise<Checkpoint> {
  return withConnection(job.target, {}, (c) => requireCheckpoint(c, job.migration));
}
