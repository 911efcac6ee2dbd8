import type { NativeJob } from './native/job.ts';
import { runNative } from './native/run-native.ts';
import type { EngineJob } from './built-in.ts';
import { builtInEngine } from './built-in.ts';
import type { ReplicationEngine } from './engine.ts';

export type NativeEngineJob = EngineJob &
  Pick<NativeJob, 'account' | 'workers' | 'sourceCaFile' | 'sourceSeen'>;

/** Our own copy; then MySQL's own replication on the target, from exactly where our applier stopped. */
export function nativeEngine(job: NativeEngineJob): ReplicationEngine {
  const { load, converge } = builtInEngine(job);
  const native = { ...job, batchRows: job.limits.applyBatchRows };
  return { load, converge, apply: async (options) => await runNative(native, options) };
}
