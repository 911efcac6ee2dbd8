import { remember, requireCheckpoint } from '../checkpoint/store.ts';
import { copyTables } from '../copy/copy-tables.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { Position } from '../mysql/position.ts';
import { converge } from '../reconcile/converge.ts';
import { applyChanges } from '../replicate/apply-changes.ts';
import { release } from './native/detach.ts';
import type { ReplicationEngine } from './engine.ts';

/** What every engine works on. Holds resolved secrets: it never leaves the worker. */
export interface EngineJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  /** Its checkpoint holds the position to go on from. */
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  readonly limits: {
    readonly copyParallel: number;
    readonly chunkRows: number;
    readonly applyBatchRows: number;
  };
  readonly verification: { readonly chunkRows: number; readonly parallel: number };
}

/** Skyferry's own copy and applier. */
export function builtInEngine(job: EngineJob): ReplicationEngine {
  const { limits, verification } = job;
  const applying = { ...job, batchRows: limits.applyBatchRows };
  return {
    load: async (options) =>
      await copyTables(
        { ...job, parallel: limits.copyParallel, chunkRows: limits.chunkRows },
        options,
      ),
    converge: async (options) => {
      const { signal } = options;
      // Started again over a run that had come further: two must not apply at once.
      await release(job, signal);
      const start = await withConnection(job.target, { signal }, (c) =>
        whereItBegan(c, job.migration),
      );
      return await converge({ ...applying, ...verification, start }, options);
    },
    apply: async (options) => {
      // Another engine may have been switched off in its favour.
      await release(job, options.signal);
      return await applyChanges(applying, options);
    },
  };
}

/** The position moves on from the first try on; the next one must know where change capture began. */
async function whereItBegan(target: Connection, name: string): Promise<Position> {
  const { position, remembered } = await requireCheckpoint(target, name);
  if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
  const known = remembered['convergesFrom'] as Position | undefined;
  if (known === undefined) await remember(target, name, { convergesFrom: position });
  return known ?? position;
}
