import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { log } from '@temporalio/activity';
import { SkyferryFailure } from '../failures.ts';

/**
 * What Temporal stores of a failure: code, message, what is safe, what next. Causes and stacks stay
 * behind, because those of drivers carry SQL and row values.
 */
export function toApplicationFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const failure = error instanceof SkyferryFailure ? error : unexpected(error);
  return withoutStack(
    ApplicationFailure.create({
      type: failure.code,
      message: failure.message,
      nonRetryable: !mayTryAgain(failure),
      details: [failure.detail],
    }),
  );
}

/**
 * An epoch is lost to a newer attempt or to a zombie of an older one. Temporal tells them apart: the answer
 * of an attempt that it gave up is ignored, so whoever is heard here is the current one and takes
 * the epoch back.
 */
function mayTryAgain({ code, retryable }: SkyferryFailure): boolean {
  return retryable || code === 'EPOCH_LOST';
}

/** A defect. Its message may hold anything, so only its class travels; its frames go to the log. */
function unexpected(error: unknown): SkyferryFailure {
  const name = error instanceof Error ? error.name : typeof error;
  const frames = error instanceof Error ? framesOf(error) : [];
  log.error('unexpected error in an activity', { name, frames });
  return new SkyferryFailure('INTERNAL', `unexpected ${name}; the worker's log shows where`, {
    next: 'report it with the log lines around it; then retry-phase',
  });
}

function framesOf({ stack = '' }: Error): string[] {
  return stack.split('\n').filter((line) => /^\s+at /.test(line));
}

function withoutStack(failure: ApplicationFailure): ApplicationFailure {
  failure.stack = '';
  return failure;
}
