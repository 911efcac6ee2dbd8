import type { ApplyJob } from '../../replicate/apply-changes.ts';
import type { ReplicationLogin } from './account.ts';

export interface NativeJob extends Omit<ApplyJob, 'until'> {
  /** Absent: one is made on the source. */
  readonly account?: ReplicationLogin | undefined;
  /** Wanted of the target: replica_parallel_workers. */
  readonly workers: number;
  /** On the target: the file with the authority of the source's certificate. */
  readonly sourceCaFile?: string | undefined;
  /** Where the target reaches the source; absent: where the worker does. */
  readonly sourceSeen?: { readonly host: string; readonly port: number } | undefined;
}
