import type { CopyResult } from '../copy/copy-tables.ts';
import type { ReconcileOptions, Reconciled } from '../reconcile/reconcile.ts';
import type { ApplyOptions } from '../replicate/apply-changes.ts';
import type { CopyProgress } from '../workflows/messages.ts';

export interface LoadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CopyProgress) => void;
}

/**
 * How rows and changes travel from the created tables to the fence. Whichever it is, the checkpoint says up
 * to where the target is as the source was, so lag, verification, drain and report are the same for all.
 * Each step may be called again after a kill at any moment and carries on from what is there.
 * REPLICATION_LOST: it cannot be carried on; the tables have to be emptied and loaded anew.
 */
export interface ReplicationEngine {
  /** Fills the tables, which exist with their keys alone. */
  readonly load: (options: LoadOptions) => Promise<CopyResult>;
  /** Until every row that was loaded is exact. */
  readonly converge: (options: ReconcileOptions) => Promise<Reconciled>;
  /** Until aborted (rejects with the signal's reason) or a failure. Takes the migration's epoch. */
  readonly apply: (options: ApplyOptions) => Promise<unknown>;
}

/** The parts of an engine that are found by the checkpoint alone. Each may be repeated. */
export interface EngineRemains {
  /**
   * Behind the fence, with everything drained: nothing is applied from here on. Before, the cutover
   * must have noted that it is not wanted any more.
   */
  readonly detach: (signal: AbortSignal) => Promise<void>;
  /** Nothing else than our own applier changes the target from here on. */
  readonly release: (signal: AbortSignal) => Promise<void>;
  /** Nothing of it stays on either server. Says what it did, one line each. */
  readonly end: (signal: AbortSignal) => Promise<string[]>;
}
