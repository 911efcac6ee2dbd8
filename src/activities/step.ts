import { Context } from '@temporalio/activity';
import { SkyferryFailure } from '../failures.ts';
import type { LiveProgress } from '../workflows/messages.ts';
import { toApplicationFailure } from './failures.ts';

/** What an engine gets from Temporal: when to stop, and where to tell how far it is. */
export interface Step {
  readonly signal: AbortSignal;
  readonly report: (progress: Omit<LiveProgress, 'activity' | 'at'>) => void;
}

const HEARTBEAT_MS = 1_000;
/** For engines that report at least every few seconds. */
export const STALLS_AFTER_MS = 10 * 60_000;

/**
 * Runs an engine as an activity: heart-beats with the last progress, and stops it when Temporal says so.
 * `stallsAfterMs`: an engine that reports all the time and has not for so long is stuck; it is
 * stopped and tried again. Without it the engine may be silent (one ALTER TABLE can take hours).
 */
export async function runStep<T>(
  activity: LiveProgress['activity'],
  run: (step: Step) => Promise<T>,
  { stallsAfterMs = Number.POSITIVE_INFINITY }: { stallsAfterMs?: number } = {},
): Promise<T> {
  const context = Context.current();
  const stalled = new AbortController();
  let progress: LiveProgress = { activity, at: new Date().toISOString() };
  let reportedAt = performance.now();
  context.heartbeat(progress);
  const timer = setInterval(() => {
    if (performance.now() - reportedAt < stallsAfterMs) context.heartbeat(progress);
    else stalled.abort(stuck(stallsAfterMs));
  }, HEARTBEAT_MS);
  try {
    return await run({
      signal: AbortSignal.any([context.cancellationSignal, stalled.signal]),
      report: (news) => {
        reportedAt = performance.now();
        progress = { ...progress, ...news, at: new Date().toISOString() };
      },
    });
  } catch (error) {
    // An engine that is told to stop may fail in any way; why it was told is what counts.
    if (context.cancellationSignal.aborted) return await context.cancelled;
    throw toApplicationFailure(stalled.signal.aborted ? stalled.signal.reason : error);
  } finally {
    clearInterval(timer);
  }
}

/** For steps of a few round trips, too short to heart-beat. */
export async function runBriefly<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  try {
    return await run(context.cancellationSignal);
  } catch (error) {
    if (context.cancellationSignal.aborted) return await context.cancelled;
    throw toApplicationFailure(error);
  }
}

function stuck(stallsAfterMs: number): SkyferryFailure {
  return new SkyferryFailure(
    'TRANSIENT',
    `no progress for ${Math.round(stallsAfterMs / 60_000)} minutes: it is stopped and tried again`,
  );
}
