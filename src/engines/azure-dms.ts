import { randomUUID } from 'node:crypto';
import { requireCheckpoint } from '../checkpoint/store.ts';
import type { DataMigrationService } from '../clouds/azure/data-migration/service.ts';
import { withConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import { recopyTable } from '../reconcile/recopy-table.ts';
import type { Reconciled, ReconcileOptions } from '../reconcile/reconcile.ts';
import type { ApplyOptions } from '../replicate/apply-changes.ts';
import { detach } from './azure-dms/detach.ts';
import { followUntil, followUntilTakenBack, standing } from './azure-dms/follow.ts';
import type { DmsPlace } from './azure-dms/job.ts';
import { load } from './azure-dms/load.ts';
import { end, release } from './azure-dms/release.ts';
import { markTakenOver, takeOver } from './azure-dms/take-over.ts';
import { release as releaseNative } from './native/detach.ts';
import type { ApplyProgress } from '../workflows/messages.ts';
import type { EngineJob } from './built-in.ts';
import { builtInEngine } from './built-in.ts';
import type { EngineRemains, ReplicationEngine } from './engine.ts';

export interface DmsEngineJob extends EngineJob {
  readonly service: DataMigrationService;
  /** The migration's own. */
  readonly project: string;
}

/**
 * Azure's Database Migration Service moves rows and changes; what has arrived is seen by Skyferry itself,
 * because the service tells no position.
 */
export function azureDmsEngine(job: DmsEngineJob): ReplicationEngine {
  return {
    load: async (options) => {
      // An earlier workflow may have gone on with it: two must not apply at once.
      await releaseNative(job, options.signal);
      return await load(job, options);
    },
    converge: async (options) => await converge(job, options),
    apply: async (options) => {
      for (;;) {
        await followUntilTakenBack(job, options);
        if (await applyInItsPlace(job, options)) return;
      }
    },
  };
}

/** No-ops when the checkpoint remembers no task. */
export function azureDmsRemains(place: DmsPlace): EngineRemains {
  return {
    detach: async (signal) => await detach(place, signal),
    release: async (signal) => await release(place, signal),
    end: async (signal) => await end(place, signal),
  };
}

async function converge(
  job: DmsEngineJob,
  { signal, onProgress }: ReconcileOptions,
): Promise<Reconciled> {
  const { high } = await withConnection(job.target, { signal }, (c) =>
    requireCheckpoint(c, job.migration),
  );
  if (high !== null) {
    await followUntil(job, high, { signal, onProgress: (apply) => onProgress({ apply }) });
  }
  return { rounds: 0, repaired: [] };
}

/**
 * A completed task cannot be taken up again: our own applier goes on for good. False: another cutover is
 * under way, and wants nobody to apply.
 */
async function applyInItsPlace(job: DmsEngineJob, options: ApplyOptions): Promise<boolean> {
  const { signal } = options;
  const builtIn = builtInEngine(job);
  const checkpoint = await withConnection(job.target, { signal }, (c) =>
    requireCheckpoint(c, job.migration),
  );
  const tell = new Teller(options, standing(checkpoint, ''));
  tell.step('waits until the task of Azure DMS has ended');
  const taker = randomUUID();
  const left = await takeOver(job, { taker, signal, onLook: () => tell.again() });
  if (left === 'not wanted') return false;
  if (left === 'has to converge') {
    // Their rows cannot be told apart, so nothing can be set anew by key.
    for (const table of job.catalog.tables.filter(({ rowKey }) => rowKey === null)) {
      tell.step(`copying ${displayName(table.name)} again`);
      await recopyTable({ ...job, ...job.limits }, table, {
        signal,
        onProgress: () => tell.again(),
      });
    }
    await builtIn.converge({
      signal,
      onProgress: ({ apply, step }) => {
        if (step !== undefined) tell.step(step);
        if (apply === undefined) tell.again();
        else tell.progress(apply);
      },
    });
    await markTakenOver(job, taker, signal);
  }
  tell.step('applies in the place of Azure DMS');
  await builtIn.apply({ signal, onProgress: (progress) => tell.progress(progress) });
  return true;
}

/** What the built-in engine says of itself, as progress of this one. */
class Teller {
  readonly #onProgress: ApplyOptions['onProgress'];
  #last: ApplyProgress;
  #at = Date.now();
  #step = '';

  constructor({ onProgress }: ApplyOptions, first: ApplyProgress) {
    this.#onProgress = onProgress;
    this.#last = first;
  }

  step(step: string): void {
    this.#step = step;
    this.again();
  }

  /** It goes on, though nothing new can be said. Who says nothing for long is taken for stuck. */
  again(): void {
    this.progress({ ...this.#last, lagMs: this.#last.lagMs + Date.now() - this.#at });
  }

  progress(progress: ApplyProgress): void {
    this.#last = progress;
    this.#at = Date.now();
    this.#onProgress({ ...progress, engine: `Skyferry's own applier: ${this.#step}` });
  }
}
