import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
// A CommonJS module, whose members Node finds on its default alone.
import proto from '@temporalio/proto';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { Phase } from '../../workflows/messages.ts';
import { look, runs } from './follow.ts';

/** What a kill of the worker did, as seen from Temporal. */
export interface Kill {
  /** The activity that it was meant to interrupt. */
  readonly activity: string;
  /** That activity had not ended when the worker was dead: it has to be taken up again. */
  readonly hit: boolean;
  readonly phase: Phase | undefined;
}

/** Looks after the kill: a dead worker ends no activity any more, so what is open then was interrupted. */
export async function killDuring(
  handle: WorkflowHandle,
  activity: string,
  kill: () => void,
): Promise<Kill> {
  kill();
  const sight = await look(handle);
  return { activity, hit: runs(activity)(sight), phase: sight.phase };
}

const POLL_MS = 10;
const LOOK_EVERY = 20;

/** Resolves when so many rows have been copied, or when the copy is over all the same. */
export async function untilCopied(
  handle: WorkflowHandle,
  target: Endpoint,
  rows: number,
  signal: AbortSignal,
): Promise<void> {
  await withConnection(target, { signal }, async (connection) => {
    for (let polls = 1; (await copiedRows(connection)) < rows; polls++) {
      if (polls % LOOK_EVERY === 0 && !runs('copyTables')(await look(handle))) return;
      await sleep(POLL_MS, undefined, { signal });
    }
  });
}

async function copiedRows(target: Connection): Promise<number> {
  const [row] = await target.query(
    'SELECT COALESCE(SUM(row_count), 0) AS copied FROM skyferry.copied_chunk WHERE done = 1',
  );
  return Number(row?.['copied']);
}

/** Throws when the history does not show that what a kill interrupted was taken up by another attempt. */
export async function assertTakenUp(handle: WorkflowHandle, kills: readonly Kill[]): Promise<void> {
  const attempts = await attemptsOf(handle);
  for (const { activity, hit } of kills) {
    if (hit && (attempts.get(activity) ?? 0) < 2) {
      throw new Error(`${activity} was interrupted, but its history shows no second attempt`);
    }
  }
}

/** The highest attempt at which an activity of each type was started; those that have not ended are missing. */
async function attemptsOf(handle: WorkflowHandle): Promise<Map<string, number>> {
  const { events } = await handle.fetchHistory();
  const types = new Map<string, string>();
  const attempts = new Map<string, number>();
  for (const event of events ?? []) {
    const { eventType, eventId } = event;
    if (eventType === proto.temporal.api.enums.v1.EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) {
      const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
      types.set(String(eventId), name ?? '');
    }
    const started = event.activityTaskStartedEventAttributes;
    const type = types.get(String(started?.scheduledEventId));
    if (type === undefined) continue;
    attempts.set(type, Math.max(attempts.get(type) ?? 0, started?.attempt ?? 1));
  }
  return attempts;
}
