import type { ApplyJob, ApplyOptions } from './apply-changes.ts';
import { applyChanges } from './apply-changes.ts';
import { detach, end, release } from './native/detach.ts';
import type { NativeJob } from './native/job.ts';
import { runNative } from './native/run-native.ts';

/**
 * How changes travel from the end of the full load to the fence. Whichever it is, the checkpoint says what
 * is applied, so lag, verification, drain and report are the same for all.
 */
export interface ReplicationEngine {
  /** Applies until aborted (rejects with the signal's reason) or a failure. Takes the migration's epoch. */
  readonly apply: (options: ApplyOptions) => Promise<unknown>;
}

/** The parts of an engine that are found by the checkpoint alone. Each may be repeated. */
export interface EngineRemains {
  /**
   * Behind the fence, with everything drained: nothing is applied from here on. Before, the cutover
   * must have noted that it is not wanted any more.
   */
  readonly detach: (signal: AbortSignal) => Promise<void>;
  /** Our own applier may go on from the checkpoint. */
  readonly release: (signal: AbortSignal) => Promise<void>;
  /** Nothing of it stays on either server. Says what it did, one line each. */
  readonly end: (signal: AbortSignal) => Promise<string[]>;
}

export function builtInEngine(job: ApplyJob): ReplicationEngine {
  return { apply: async (options) => await applyChanges(job, options) };
}

export function nativeEngine(job: NativeJob): ReplicationEngine {
  return { apply: async (options) => await runNative(job, options) };
}

/** Whatever the configuration says now: an engine that was left half-way is found as well. */
export function engineRemains(
  job: Pick<ApplyJob, 'source' | 'target' | 'migration'>,
): EngineRemains {
  return {
    detach: async (signal) => await detach(job, signal),
    release: async (signal) => await release(job, signal),
    end: async (signal) => await end(job, signal),
  };
}
