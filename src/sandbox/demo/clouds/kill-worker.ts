import type { Client, WorkflowHandle } from '@temporalio/client';
import type { DemoProgram } from '../programs.ts';
import type { PlannedKill } from './kills.ts';
import type { Glance, OpenActivity } from './open-activities.ts';
import { glance } from './open-activities.ts';

/** What a kill of the worker met, as seen from Temporal. */
export interface CloudsKill extends PlannedKill {
  /** The activity that was open when the worker was dead; null: it had just ended, or was never seen. */
  readonly met: { readonly runId: string; readonly id: string } | null;
}

export function due({ phase, activity }: PlannedKill, seen: Glance): OpenActivity | undefined {
  if (seen.phase !== phase) return undefined;
  return seen.open.find(({ type, startedAt }) => type === activity && startedAt !== null);
}

/** Looks after the kill: a dead worker ends no activity any more, so what is open then was interrupted. */
export async function killWorker(
  handle: WorkflowHandle,
  worker: DemoProgram,
  planned: PlannedKill,
  { id }: OpenActivity,
): Promise<CloudsKill> {
  worker.kill();
  const { runId, open } = await glance(handle);
  return { ...planned, met: open.some((one) => one.id === id) ? { runId, id } : null };
}

/**
 * How each interrupted activity was taken up, by the histories.
 * @throws Error when one was not
 */
export async function howTakenUp(
  client: Client,
  { workflowId }: Pick<WorkflowHandle, 'workflowId'>,
  kills: readonly CloudsKill[],
): Promise<string[]> {
  const histories = new Map<string, Promise<Events>>();
  const historyOf = (runId: string): Promise<Events> => {
    const known = histories.get(runId);
    if (known !== undefined) return known;
    const fetched = client.workflow
      .getHandle(workflowId, runId)
      .fetchHistory()
      .then(({ events }) => events ?? []);
    histories.set(runId, fetched);
    return fetched;
  };
  return await Promise.all(
    kills.map(async ({ activity, met }) => {
      if (met === null) return 'had just ended';
      const how = takenUp(await historyOf(met.runId), met.id);
      if (how !== null) return how;
      throw new Error(`${activity} was interrupted, but its history shows nobody who took it up`);
    }),
  );
}

type Events = NonNullable<
  Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']
>;

function takenUp(events: Events, activityId: string): string | null {
  const scheduled = events.findIndex(
    ({ activityTaskScheduledEventAttributes: one }) => one?.activityId === activityId,
  );
  const eventId = String(events[scheduled]?.eventId);
  const later = events.slice(scheduled + 1);
  const attempts = later
    .filter(
      ({ activityTaskStartedEventAttributes: one }) => String(one?.scheduledEventId) === eventId,
    )
    .map(({ activityTaskStartedEventAttributes: one }) => one?.attempt ?? 1);
  const attempt = Math.max(0, ...attempts);
  if (attempt >= 2) return `taken up by attempt ${attempt}`;
  // The cutover has one attempt: what became of it is found out by another activity.
  const after = later.findIndex(
    ({ activityTaskTimedOutEventAttributes: one }) => String(one?.scheduledEventId) === eventId,
  );
  if (after === -1) return null;
  const next = later
    .slice(after)
    .map(({ activityTaskScheduledEventAttributes: one }) => one?.activityType?.name)
    .find((name) => name !== undefined && name !== null);
  return next === undefined ? null : `settled by ${next}`;
}
