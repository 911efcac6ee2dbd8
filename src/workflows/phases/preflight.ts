import { ActivityFailure } from '@temporalio/workflow';
import {
  emptyTarget,
  listSearchAttributes,
  makePlan,
  openMigration,
  runPreflight,
} from '../activities.ts';
import { withFindings } from '../../preflight/assessment.ts';
import { engineInUse } from '../engine-in-use.ts';
import { fatal, summarize } from '../failures.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { located } from '../located.ts';
import { milestone, park } from '../migration.ts';
import { mustPrepare, survey } from './preparing.ts';
import type { OpenResult } from '../results.ts';

export async function preflight(migration: Migration): Promise<Phase> {
  const { config, state } = migration;
  state.searchAttributes ??= await listSearchAttributes();
  if (mustPrepare(migration)) return await survey(migration);
  const { resumed } = await open(migration);
  if (resumed)
    milestone(migration, 'found its checkpoint on the target: what is done is not done again');
  if (state.startsOver) await empty(migration);
  const engine = engineInUse(config, state);
  const { findings, engines: seen } = await runPreflight({ config: located(migration), engine });
  const engines = withFindings(seen, state.preparation?.plan.target.engines);
  state.findings = [...findings];
  const blockers = state.findings.filter(({ severity }) => severity === 'blocker');
  if (blockers.length > 0) {
    return park(migration, 'preflight', {
      code: 'PREFLIGHT_BLOCKED',
      message: `${blockers.length} of ${state.findings.length} checks block: ${blockers.map(({ code }) => code).join(', ')}`,
      safe: 'nothing was changed but the checkpoint on the target',
      next: `skyferry doctor shows each with its fix; then retry-phase`,
    });
  }
  state.plan = await makePlan({ config: located(migration), engine, engines, findings });
  // What `auto` has chosen once stays, also when the servers are looked at again.
  state.engine ??= config.engine === 'auto' ? state.plan.plan.engine : null;
  return 'provisioning';
}

/** Checked and planned like a first start, since definitions and engine may be others by now. */
async function empty(migration: Migration): Promise<void> {
  const { state } = migration;
  for (const line of await emptyTarget({ config: located(migration) })) milestone(migration, line);
  state.startsOver = false;
}

/**
 * A name that is taken by something else ends the workflow: no retry could ever help. But what was made in a
 * cloud goes on costing money, so then it parks, and abort removes it.
 */
async function open(migration: Migration): Promise<OpenResult> {
  const { state } = migration;
  const { preparation } = state;
  const hasMade = preparation !== null && Object.keys(preparation.done).length > 0;
  try {
    return await openMigration({ config: located(migration) });
  } catch (error) {
    const failure = error instanceof ActivityFailure ? summarize(error) : null;
    const isForGood = failure?.code === 'MIGRATION_CONFLICT' || failure?.code === 'CONFIG_INVALID';
    if (!isForGood || hasMade) throw error;
    state.failure = failure;
    throw fatal(failure);
  }
}
