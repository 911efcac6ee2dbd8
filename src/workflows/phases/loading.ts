import {
  buildIndexes,
  converge,
  copyTables,
  createTables,
  createViewsAndRoutines,
  persistently,
  provision,
} from '../activities.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { located } from '../located.ts';
import { milestone } from '../migration.ts';
import { nowIso } from '../state.ts';

export async function provisioning(migration: Migration): Promise<Phase> {
  const { state } = migration;
  state.provisioning = await provision({ config: located(migration) });
  for (const change of state.provisioning.changes) milestone(migration, change);
  return 'full-load';
}

/** Each step leaves what is there already, so an interrupted load begins here again and skips it. */
export async function fullLoad(migration: Migration): Promise<Phase> {
  const { state } = migration;
  const { tables } = await createTables({ config: located(migration) });
  milestone(migration, `${tables} tables are there, without secondary indexes`);
  const startedAt = nowIso();
  const copied = await persistently(() => copyTables({ config: located(migration) }));
  state.copy = { ...copied, startedAt, endedAt: nowIso() };
  milestone(migration, `${copied.rows} rows copied`);
  const { repaired } = await persistently(() => converge({ config: located(migration) }));
  milestone(migration, 'every copied chunk is exact');
  for (const { table, rows } of repaired) {
    milestone(
      migration,
      `${table}: ${rows} rows repaired that cascades, which MySQL does not log, met during the copy`,
    );
  }
  await persistently(() => buildIndexes({ config: located(migration) }));
  milestone(migration, 'secondary indexes and foreign keys are built');
  const { notes } = await createViewsAndRoutines({ config: located(migration) });
  for (const note of notes) milestone(migration, note);
  state.loaded = true;
  return 'catching-up';
}
