import type { SyncView, TaskView } from '../../clouds/azure/data-migration/task-view.ts';
import type { Holder } from '../../checkpoint/epoch.ts';
import { epochLost } from '../../checkpoint/epoch.ts';
import type { Checkpoint } from '../../checkpoint/store.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { withConnection } from '../../mysql/connection.ts';
import { isRemoved } from '../native/memory.ts';
import { describeTask } from './describe-task.ts';
import { judgeSync, vanished } from './failures.ts';
import type { DmsJob } from './job.ts';
import { syncOf } from './memory.ts';
import { patiently, pausing } from './patience.ts';

const POLL_MS = 2_000;

/** Looks at the sync task again and again, for as long as it is the one that applies. */
export class TaskWatch {
  readonly #job: DmsJob;
  readonly #holder: Holder;
  readonly #task: string;
  #text: string;
  #last: string | null = null;
  #settled = false;

  constructor(job: DmsJob, holder: Holder, task: string) {
    this.#job = job;
    this.#holder = holder;
    this.#task = task;
    this.#text = `Azure DMS: ${task}`;
  }

  /** The task as the service says, for people. */
  get text(): string {
    return this.#text;
  }

  /** As often as it was looked last: everything that had come in was applied, twice the same. */
  settled(): boolean {
    return this.#settled;
  }

  /** Resolves once it is not wanted any more; rejects when it cannot go on. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const view = await this.#look(signal);
      // Read after the task was: who completes or ends it writes that down before.
      const checkpoint = await this.#checkpoint(signal);
      if (checkpoint.epoch !== this.#holder.epoch) throw epochLost(this.#holder);
      if (isOver(checkpoint)) return;
      if (view === null) throw vanished(this.#task);
      const failure = judgeSync(this.#task, view);
      if (failure !== null) throw failure;
      this.#text = describeTask(this.#task, view);
      const counters = view.sync === null ? null : countersIfApplied(view.sync);
      this.#settled = counters !== null && counters === this.#last;
      this.#last = counters;
      await pausing(POLL_MS, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<TaskView | null> {
    const { service, project } = this.#job;
    return await patiently(signal, () => service.findTask(project, this.#task, signal));
  }

  async #checkpoint(signal: AbortSignal): Promise<Checkpoint> {
    const { target, migration } = this.#job;
    return await withConnection(target, { signal }, (c) => requireCheckpoint(c, migration));
  }
}

/** It was completed for a cutover, or is not the one that applies any more. */
export function isOver(checkpoint: Checkpoint): boolean {
  const sync = syncOf(checkpoint);
  return isRemoved(checkpoint) || sync === null || sync.completing || sync.takingOver;
}

/** null: something is on its way. What is equal to an earlier answer has not moved since. */
export function countersIfApplied({ databases }: Pick<SyncView, 'databases'>): string | null {
  if (databases.length === 0) return null;
  if (databases.some(({ incoming, applied }) => incoming !== applied)) return null;
  return databases.map(({ name, incoming }) => `${name} ${incoming}`).join(',');
}
