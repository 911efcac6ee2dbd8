import { isFailure, SkyferryFailure } from '../failures.ts';

/** Runs a statement; its failure says what was being done and to which object. */
export async function attempt<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isFailure(error)) throw error;
    const next = nextSteps.get(error.detail.errno ?? 0);
    throw new SkyferryFailure(error.code, `${what}: ${error.message}`, {
      ...error.detail,
      ...(next !== undefined && { next }),
      retryable: error.retryable,
    });
  }
}

const functionCreators =
  'set log_bin_trust_function_creators=ON on the target (a server parameter), then retry';

const nextSteps = new Map([
  [
    1062,
    'find the duplicate rows; the target was changed by someone else, or the source held them',
  ],
  [1298, "load the time zone tables on the target, or use an offset in the event's time zone"],
  [1418, functionCreators],
  [1419, functionCreators],
]);

export function errnoOf(error: unknown): number | undefined {
  return isFailure(error) ? error.detail.errno : undefined;
}
