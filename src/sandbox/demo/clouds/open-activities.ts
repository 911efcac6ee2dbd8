import type { WorkflowHandle } from '@temporalio/client';
// A CommonJS module, whose members Node finds on its default alone.
import proto from '@temporalio/proto';
import type { Phase } from '../../../workflows/messages.ts';

const { PendingActivityState } = proto.temporal.api.enums.v1;

/** An activity that nobody has ended. */
export interface OpenActivity {
  readonly id: string;
  readonly type: string;
  /** Of the running attempt, ms since the epoch; null: it waits for a worker, or for its next attempt. */
  readonly startedAt: number | null;
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
  const open = (raw.pendingActivities ?? []).map(
    ({ activityId, activityType, lastStartedTime, state }) => ({
      id: activityId ?? '',
      type: activityType?.name ?? '',
      startedAt:
        state === PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
          ? Number(lastStartedTime?.seconds ?? 0) * 1000 + (lastStartedTime?.nanos ?? 0) / 1e6
          : null,
    }),
  );
  return { runId, running: status.name === 'RUNNING', phase, open };
}
