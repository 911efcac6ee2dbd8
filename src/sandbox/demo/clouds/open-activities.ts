import type { WorkflowHandle } from '@temporalio/client';
import type { Phase } from '../../../workflows/messages.ts';

/** An activity that some worker has begun and nobody has ended. */
export interface OpenActivity {
  readonly id: string;
  readonly type: string;
  /** Of the running attempt, ms since the epoch. */
  readonly startedAt: number;
}

/** What Temporal itself knows of a migration, in one request: no worker has to answer. */
export interface Glance {
  readonly runId: string;
  readonly running: boolean;
  readonly phase: Phase | undefined;
  readonly open: readonly OpenActivity[];
}

export async function glance(handle: WorkflowHandle): Promise<Glance> {
  const { runId, status, searchAttributes, raw } = await handle.describe();
  const [phase] = (searchAttributes['SkyferryPhase'] ?? []) as Phase[];
  const open = (raw.pendingActivities ?? []).flatMap(
    ({ activityId, activityType, lastStartedTime }) =>
      lastStartedTime === null || lastStartedTime === undefined
        ? []
        : [
            {
              id: activityId ?? '',
              type: activityType?.name ?? '',
              startedAt:
                Number(lastStartedTime.seconds ?? 0) * 1000 + (lastStartedTime.nanos ?? 0) / 1e6,
            },
          ],
  );
  return { runId, running: status.name === 'RUNNING', phase, open };
}
