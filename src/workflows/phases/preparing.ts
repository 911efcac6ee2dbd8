import { condition } from '@temporalio/workflow';
import type { CloudPlan, PlannedAct, Survey } from '../../prepare/act.ts';
import { beginAct, completeAct, persistently, surveyClouds } from '../activities.ts';
import { summarize } from '../failures.ts';
import { isInClouds } from '../messages.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { milestone, park } from '../migration.ts';
import type { Preparation } from '../preparation.ts';
import { actsLeft, isApproved, needsApproval, newPreparation } from '../preparation.ts';
import { nowIso } from '../state.ts';

/** Nothing can be checked on servers that are not found or made yet. */
export function mustPrepare({ config, state }: Migration): boolean {
  return isInClouds(config) && state.servers === null;
}

/** Looks at the clouds; changes nothing. */
export async function survey(migration: Migration): Promise<Phase> {
  const { config, state } = migration;
  const plan = await surveyClouds({ config, engine: state.engine });
  state.findings = [...plan.source.findings, ...plan.target.findings];
  const blocking = state.findings.filter(({ severity }) => severity === 'blocker');
  if (blocking.length > 0) {
    return park(migration, 'preflight', {
      code: 'PREFLIGHT_BLOCKED',
      message: `the clouds' preparation is blocked: ${blocking.map(({ code }) => code).join(', ')}`,
      safe: 'nothing was changed',
      next: 'skyferry doctor shows each with its fix; then retry-phase',
    });
  }
  const former = state.preparation;
  state.preparation = former === null ? newPreparation(plan) : takeUp(former, plan);
  // Also when all of it comes only before the window: nobody is asked there any more.
  if (mustAsk(state.preparation)) return 'awaiting-preparation';
  if (actsLeft(state.preparation, 'preparation').length === 0) return locate(migration);
  return 'preparing';
}

function mustAsk(preparation: Preparation): boolean {
  return needsApproval(preparation) && !isApproved(preparation);
}

/** What was done stays done; another plan needs another approval. */
function takeUp(former: Preparation, plan: Preparation['plan']): Preparation {
  const again = new Set([...plan.source.acts, ...plan.target.acts].map(({ name }) => name));
  const when = (name: string) =>
    [...former.plan.source.acts, ...former.plan.target.acts].find((act) => act.name === name)?.when;
  return {
    ...former,
    plan,
    approval: former.plan.hash === plan.hash ? former.approval : null,
    // Found to be needed once more, so it is not as it was left.
    done: Object.fromEntries(
      Object.entries(former.done).filter(
        ([name]) => !(again.has(name) && when(name) === 'preparation'),
      ),
    ),
  };
}

export async function awaitingPreparation(migration: Migration): Promise<Phase> {
  const { preparation } = migration.state;
  if (preparation === null) return 'preflight';
  await condition(() => isApproved(preparation));
  // It may have waited for days: what a reboot would bring along by now needs an approval of its own.
  return await survey(migration);
}

/** Each act is one visible pair of activities; then the clouds are looked at again. */
export async function preparing(migration: Migration): Promise<Phase> {
  const { state } = migration;
  const { preparation } = state;
  if (preparation === null) return 'preflight';
  // It was stopped for so long that the approval is none any more: what is left is planned anew.
  if (mustAsk(preparation)) return 'preflight';
  await performAll(migration, preparation, 'preparation');
  return await locate(migration);
}

/** Before the window, while changes go on being applied: a restart costs no downtime here. */
export async function resizing(migration: Migration): Promise<Phase> {
  const { state } = migration;
  const { preparation } = state;
  if (preparation !== null) {
    await performAll(migration, preparation, 'before-window');
    const seen = await surveyClouds({ config: migration.config, engine: state.engine });
    lookAgain(preparation, seen);
  }
  return 'catching-up';
}

export function mustResize({ state: { preparation } }: Migration): boolean {
  return preparation !== null && actsLeft(preparation, 'before-window').length > 0;
}

/** Borrowed things are given back once nothing needs them any more. */
export async function giveBack(migration: Migration): Promise<void> {
  const { preparation } = migration.state;
  if (preparation !== null) await performAll(migration, preparation, 'completion');
}

async function performAll(
  migration: Migration,
  preparation: Preparation,
  when: PlannedAct['when'],
): Promise<void> {
  for (const act of actsLeft(preparation, when)) await perform(migration, preparation, act);
}

async function perform(
  migration: Migration,
  preparation: Preparation,
  { name, former }: PlannedAct,
): Promise<void> {
  const { config } = migration;
  const { source, target } = preparation.plan;
  const input = {
    config,
    addresses: {
      source: source.address,
      target: migration.state.servers?.target ?? target.address,
    },
    act: name,
  };
  if (preparation.begun?.act !== name) {
    // An act that is planned once more sees its own first work: what was there before it counts.
    preparation.formers = { [name]: former ?? {}, ...preparation.formers };
    const begun = await beginAct({ ...input, formers: preparation.formers });
    preparation.begun = { act: name, begun };
  }
  const { begun } = preparation.begun;
  const { formers } = preparation;
  const { note, address } = await persistently(() =>
    completeAct({ ...input, formers, begun }),
  ).catch((error: unknown) => {
    // An operation that has failed stays so: the next try has to begin, and looks before it does.
    if (hasFailed(error)) preparation.begun = null;
    throw error;
  });
  preparation.begun = null;
  if (address !== undefined) {
    // Acts that follow reach what was made.
    preparation.plan = { ...preparation.plan, target: { ...target, address } };
  }
  preparation.done = { ...preparation.done, [name]: { note, at: nowIso() } };
  milestone(migration, note);
}

/** Not that nobody could ask, or that it still goes on. */
function hasFailed(error: unknown): boolean {
  const failure = summarize(error);
  return failure !== null && failure.code !== 'TIMEOUT' && failure.code !== 'CLOUD_BUSY';
}

/** What is shown of servers that were changed; the plan's acts stay as they were approved. */
function lookAgain(preparation: Preparation, seen: Pick<CloudPlan, 'source' | 'target'>): void {
  const shown = ({ facts, differences, running }: Survey) => ({ facts, differences, running });
  const { plan } = preparation;
  preparation.plan = {
    ...plan,
    source: { ...plan.source, ...shown(seen.source) },
    target: { ...plan.target, ...shown(seen.target) },
  };
}

/** Both servers are there: the checks of the servers themselves come next. */
async function locate(migration: Migration): Promise<Phase> {
  const { config, state } = migration;
  const { preparation, engine } = state;
  if (preparation === null) return 'preflight';
  const { source, target } = await surveyClouds({ config, engine });
  const missing = [...source.acts, ...target.acts].filter(({ when }) => when === 'preparation');
  if (source.address !== null && target.address !== null && missing.length === 0) {
    state.servers = { source: source.address, target: target.address };
    lookAgain(preparation, { source, target });
    return 'preflight';
  }
  return park(migration, 'preflight', {
    code: 'CLOUD_FAILED',
    message: `prepared, and still not as it has to be: ${missing.map(({ does }) => does).join('; ') || 'a server has no address'}`,
    safe: 'nothing was copied',
    next: 'retry-phase looks again and plans what is missing',
  });
}
