import {
  ActivityFailure,
  ApplicationFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow';
import type { FailureDetail } from '../failures.ts';
import { SkyferryFailure } from '../failures.ts';

/** A failure as status and report show it. `code` is a FailureCode, or TIMEOUT. */
export interface FailureSummary extends Omit<FailureDetail, 'errno'> {
  code: string;
  message: string;
}

/** null: not a failure of an activity, so none that a person could answer by `retry-phase`. */
export function summarize(error: unknown): FailureSummary | null {
  if (error instanceof SkyferryFailure) {
    return { code: error.code, message: error.message, ...safeAndNext(error.detail) };
  }
  if (!(error instanceof ActivityFailure) || isCancellation(error)) return null;
  const { cause } = error;
  if (cause instanceof ApplicationFailure) {
    const [detail] = cause.details ?? [];
    return { code: cause.type ?? 'INTERNAL', message: cause.message, ...safeAndNext(detail) };
  }
  if (cause instanceof TimeoutFailure) {
    return {
      code: 'TIMEOUT',
      message: `${error.activityType}: the worker that ran it went silent, and no other finished it`,
      next: 'check that a worker runs (skyferry worker)',
    };
  }
  return { code: 'INTERNAL', message: `${error.activityType} failed` };
}

function safeAndNext(detail: unknown): { safe?: string; next?: string } {
  const { safe, next } = (
    typeof detail === 'object' && detail !== null ? detail : {}
  ) as FailureDetail;
  return { ...(typeof safe === 'string' && { safe }), ...(typeof next === 'string' && { next }) };
}

/** Ends the workflow with a failure that a person reads in Temporal's UI. */
export function fatal(failure: FailureSummary): ApplicationFailure {
  const { code, message, safe, next } = failure;
  const ended = ApplicationFailure.create({
    type: code,
    message: [message, safe, next].filter((line) => line !== undefined).join('\n'),
    nonRetryable: true,
  });
  // It is the user's mistake, not the code's: frames would only hide the message.
  ended.stack = '';
  return ended;
}
