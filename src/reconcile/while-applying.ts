import { applyChanges } from '../replicate/apply-changes.ts';
import type { ApplyJob, ApplyOptions } from '../replicate/apply-changes.ts';

/**
 * Applies changes for as long as `work` takes. When the applier fails, the work is aborted and the
 * applier's failure is thrown. Nobody applies any more when this has settled.
 */
export async function whileApplying<T>(
  job: ApplyJob,
  { signal, onProgress }: ApplyOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const broken = new AbortController();
  const applying = applyChanges(
    { ...job, until: undefined },
    { signal: AbortSignal.any([signal, over.signal]), onProgress },
  ).catch((error: unknown) => {
    if (!over.signal.aborted) broken.abort(error);
  });
  try {
    return await work(AbortSignal.any([signal, broken.signal]));
  } catch (error) {
    signal.throwIfAborted();
    broken.signal.throwIfAborted();
    throw error;
  } finally {
    over.abort();
    await applying;
  }
}
