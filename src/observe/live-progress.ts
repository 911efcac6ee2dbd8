import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { LiveProgress } from '../workflows/messages.ts';

type Failure = NonNullable<
  NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]['lastFailure']
>;

/** What the running activities last reported with their heartbeats: a query cannot see it. */
export interface LiveActivity {
  readonly type: string;
  readonly attempt: number;
  readonly startedAt: string | undefined;
  readonly progress: LiveProgress | undefined;
  /** Why the attempt before this one ended; there from the second on. */
  readonly failure?: string;
}

/** In an order that does not change from look to look. */
export function liveActivities({ raw }: WorkflowExecutionDescription): LiveActivity[] {
  const live = (raw.pendingActivities ?? []).map((pending) => {
    const payload = pending.heartbeatDetails?.payloads?.[0];
    return {
      type: pending.activityType?.name ?? '',
      attempt: pending.attempt ?? 1,
      startedAt: isoOf(pending.lastStartedTime?.seconds),
      progress:
        payload === undefined
          ? undefined
          : defaultPayloadConverter.fromPayload<LiveProgress>(payload),
      ...(pending.lastFailure != null && { failure: describeFailure(pending.lastFailure) }),
    };
  });
  return live.sort((a, b) => (a.type < b.type ? -1 : 1));
}

function describeFailure({ message, applicationFailureInfo, timeoutFailureInfo }: Failure): string {
  if (timeoutFailureInfo != null) return 'its worker went silent';
  return `${applicationFailureInfo?.type ?? 'INTERNAL'}: ${message ?? ''}`;
}

function isoOf(seconds: unknown): string | undefined {
  return seconds === undefined || seconds === null
    ? undefined
    : new Date(Number(seconds) * 1000).toISOString();
}
