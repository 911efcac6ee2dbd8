import { durationMs } from '../config/schema.ts';
import type { BegunAct, CloudPlan, Formers, PlannedAct } from '../prepare/act.ts';
import type { Approval } from './approval.ts';
import type { Approve, PreparationStatus } from './messages.ts';
import type { State } from './state.ts';
import { nowIso } from './state.ts';

/** What is changed in clouds, and how far that is. Plain JSON, part of the state. */
export interface Preparation {
  plan: CloudPlan;
  approval: Approval | null;
  /** By act: what was so afterwards. */
  done: Record<string, { note: string; at: string }>;
  /** By act: values to be put back. Read before the act was begun. */
  formers: Formers;
  /** Was sent and is still to be awaited. */
  begun: { act: string; begun: BegunAct } | null;
}

export function newPreparation(plan: CloudPlan): Preparation {
  return { plan, approval: null, done: {}, formers: {}, begun: null };
}

/** In order: the source's first, since what is made for money comes last. */
export function actsOf({ source, target }: CloudPlan, when: PlannedAct['when']): PlannedAct[] {
  return [...source.acts, ...target.acts].filter((act) => act.when === when);
}

export function actsLeft({ plan, done }: Preparation, when: PlannedAct['when']): PlannedAct[] {
  return actsOf(plan, when).filter(({ name }) => done[name] === undefined);
}

/** One approval covers all of the plan: what is done at once, and what comes before the window. */
export function needsApproval({ plan, done }: Preparation): boolean {
  return [...plan.source.acts, ...plan.target.acts].some(
    (act) => act.needsApproval && done[act.name] === undefined,
  );
}

export function isApproved({ approval }: Preparation): boolean {
  return approval !== null && Date.parse(approval.expiresAt) > Date.now();
}

/** Why an approval of the preparation cannot be taken now; null when it can. */
export function refusePreparation(state: State, { planHash }: Approve): string | null {
  const { preparation, phase } = state;
  if (preparation === null) return `early: nothing is to be prepared yet; it is in ${phase}`;
  if (phase !== 'awaiting-preparation') {
    return `nothing waits for it: the migration is in ${phase}`;
  }
  if (planHash !== undefined && planHash !== preparation.plan.hash) {
    return `the plan hash is not this run's, ${preparation.plan.hash}: read the plan again`;
  }
  if (preparation.approval !== null && isApproved(preparation)) {
    return `repeated: ${preparation.approval.by} approved at ${preparation.approval.at} already`;
  }
  return null;
}

export function acceptPreparation(
  { preparation }: State,
  { by, note, planHash }: Approve,
  expiresAfter: string,
): void {
  if (preparation === null) return;
  preparation.approval = {
    by,
    at: nowIso(),
    expiresAt: new Date(Date.now() + durationMs(expiresAfter)).toISOString(),
    ...(note !== undefined && { note }),
    ...(planHash !== undefined && { planHash }),
  };
}

/** Of a plan that nobody has begun. */
export function describePlannedPreparation(plan: CloudPlan): PreparationStatus {
  return describePreparation(newPreparation(plan));
}

/** `ended`: what was not done will not be. */
export function describePreparation(
  { plan, approval, done }: Preparation,
  ended = false,
): PreparationStatus {
  const { source, target } = plan;
  const acts = [...source.acts, ...target.acts];
  return {
    planHash: plan.hash,
    acts: (ended ? acts.filter(({ name }) => done[name] !== undefined) : acts).map(
      ({ name, does, when, interrupts, costs, cannotBeUndone, undo, needsApproval: approved }) => ({
        name,
        does,
        when,
        needsApproval: approved,
        ...(interrupts !== null && { interrupts }),
        ...(costs !== null && { costs }),
        ...(cannotBeUndone !== null && { cannotBeUndone }),
        ...(undo !== null && { undo }),
        ...(done[name] !== undefined && { done: done[name].note }),
      }),
    ),
    ...(approval !== null && {
      approval: {
        by: approval.by,
        at: approval.at,
        ...(approval.note !== undefined && { note: approval.note }),
      },
    }),
    running: [...source.running, ...target.running]
      .filter(({ removedBy }) => removedBy === undefined || done[removedBy] === undefined)
      .map(({ resource, hourly, since }) => ({
        resource,
        ...(hourly !== null && { hourly }),
        ...(since !== null && { since }),
      })),
    facts: [...source.facts, ...target.facts],
  };
}
