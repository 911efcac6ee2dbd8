import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { LiveProgress } from '../workflows/messages.ts';

/** What the running activities last reported with their heartbeats: a query cannot see it. */
export interface LiveActivity {
  readonly type: string;
  readonly attempt: number;
  readonly startedAt: string | undefined;
  readonly progress: LiveProgress | undefined;
}

export async function readLiveActivities(handle: WorkflowHandle): Promise<LiveActivity[]> {
  const { raw } = await handle.describe();
  return (raw.pendingActivities ?? []).map((pending) => {
    const payload = pending.heartbeatDetails?.payloads?.[0];
    return {
      type: pending.activityType?.name ?? '',
      attempt: pending.attempt ?? 1,
      startedAt: isoOf(pending.lastStartedTime?.seconds),
      progress:
        payload === undefined
          ? undefined
          : defaultPayloadConverter.fromPayload<LiveProgress>(payload),
    };
  });
}

function isoOf(seconds: unknown): string | undefined {
  return seconds === undefined || seconds === null
    ? undefined
    : new Date(Number(seconds) * 1000).toISOString();
}
