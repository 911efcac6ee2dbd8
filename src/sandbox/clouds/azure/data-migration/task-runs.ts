import { AsyncResource } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { isFailure } from '../../../../failures.ts';
import type { Fault } from '../../service.ts';
import { connectToSource, connectToTarget } from './connect-tasks.ts';
import type { TaskProperties } from './schemas.ts';
import type { DataMigrations, KeptCommand, KeptTask, TaskState } from './state.ts';
import { isActive } from './state.ts';
import { runSync } from './sync/sync-task.ts';
import { failAsTold, TaskEnd } from './task-end.ts';
import type { TaskError } from './task-error.ts';

/** So long a task waits for a worker. */
const QUEUED_MS = 200;

interface Run {
  readonly stop: AbortController;
  ended: Promise<void>;
}

/** The workers behind the tasks. Passwords are held here only, for as long as a task runs. */
export class TaskRuns {
  readonly #kept: DataMigrations;
  readonly #runs = new Map<KeptTask, Run>();
  /** Apart from the request that creates a task: faults and the log are about that one alone. */
  readonly #launch: (task: KeptTask, properties: TaskProperties, fault: Fault | null) => void;

  private constructor(kept: DataMigrations) {
    this.#kept = kept;
    this.#launch = AsyncResource.bind((task, properties, fault) => {
      const run: Run = { stop: new AbortController(), ended: Promise.resolve() };
      this.#runs.set(task, run);
      run.ended = this.#run(task, properties, fault, run.stop.signal);
    });
  }

  /** What ran when the clouds ended has lost its connections, which such a task does not survive. */
  static async open(kept: DataMigrations): Promise<TaskRuns> {
    for (const { projects } of kept.all()) {
      for (const task of Object.values(projects).flatMap(({ tasks }) => Object.values(tasks))) {
        if (!isActive(task)) continue;
        end(task, 'Faulted', {
          code: 'ConnectionsLost',
          message: 'The connections to the servers were lost; the task cannot be resumed.',
        });
      }
    }
    await kept.save();
    return new TaskRuns(kept);
  }

  start(task: KeptTask, properties: TaskProperties, fault: Fault | null): void {
    this.#launch(task, properties, fault);
  }

  /** Resolves when nothing of it runs any more. */
  async cancel(task: KeptTask): Promise<void> {
    const run = this.#runs.get(task);
    for (const database of task.sync?.databases ?? []) {
      if (database.state !== 'COMPLETE') database.state = 'CANCELLING';
    }
    run?.stop.abort(new TaskEnd('Canceled', 'Canceled', 'The task was canceled.'));
    await run?.ended;
    if (isActive(task)) end(task, 'Canceled', null);
    await this.#kept.save();
  }

  /** Leaves tasks as they are on disk: the next start finds what was cut off. */
  async close(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const { stop } of runs) stop.abort(CLOSED);
    await Promise.all(runs.map(({ ended }) => ended));
  }

  async #run(
    task: KeptTask,
    properties: TaskProperties,
    fault: Fault | null,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await delay(QUEUED_MS, undefined, { signal });
      task.state = 'Running';
      await this.#kept.save();
      failAsTold(fault);
      await this.#work(task, properties, signal);
      end(task, 'Succeeded', null);
    } catch (thrown) {
      const error: unknown = signal.aborted ? signal.reason : thrown;
      if (error === CLOSED) return;
      const { state, code, message } = endOf(error);
      end(task, state, state === 'Canceled' ? null : { code, message });
    } finally {
      this.#runs.delete(task);
    }
    await this.#kept.save();
  }

  async #work(task: KeptTask, properties: TaskProperties, signal: AbortSignal): Promise<void> {
    const { context } = this.#kept;
    switch (properties.taskType) {
      case 'ConnectToSource.MySql':
        failAsTold(this.#kept.fault('DataMigration_ConnectToSource'));
        task.found = await connectToSource(context, properties.input, signal);
        break;
      case 'ConnectToTarget.AzureDbForMySql':
        failAsTold(this.#kept.fault('DataMigration_ConnectToTarget'));
        task.found = await connectToTarget(context, properties.input, signal);
        break;
      case 'Migrate.MySql.AzureDbForMySql.Sync':
        await runSync(this.#kept, task, properties.input, signal);
        break;
    }
  }
}

const CLOSED = new Error('the clouds end');

function endOf(error: unknown): { state: TaskState; code: string; message: string } {
  if (error instanceof TaskEnd) return error;
  if (!isFailure(error)) {
    process.stderr.write(`data migration task: ${String(error)}\n`);
    return { state: 'Faulted', code: 'InternalServerError', message: 'An unexpected error.' };
  }
  const { message } = error;
  if (error.code === 'ACCESS_DENIED') return { state: 'Failed', code: 'AccessDenied', message };
  if (error.code === 'CONNECTION_LOST') {
    return { state: 'Failed', code: 'CannotConnectToServer', message };
  }
  return { state: 'Faulted', code: 'TaskFaulted', message };
}

function end(task: KeptTask, state: TaskState, error: TaskError | null): void {
  task.state = state;
  if (error !== null) task.errors.push(error);
  for (const command of task.commands) endCommand(command, error);
  const { sync } = task;
  if (sync === null) return;
  sync.endedOn = new Date().toISOString();
  sync.error = error;
  for (const database of sync.databases) {
    if (database.state === 'COMPLETE') continue;
    database.state = state === 'Canceled' ? 'CANCELLED' : 'FAILED';
    database.endedOn = sync.endedOn;
  }
  for (const table of sync.tables) {
    if (table.state === 'COMPLETED') continue;
    table.state = state === 'Canceled' ? 'CANCELED' : 'FAILED';
  }
}

function endCommand(command: KeptCommand, error: TaskError | null): void {
  if (command.state === 'Succeeded' || command.state === 'Failed') return;
  command.state = 'Failed';
  if (error !== null) command.errors.push(error);
}
