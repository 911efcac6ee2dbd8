import type { TaskView } from '../../clouds/azure/data-migration/task-view.ts';
import { acquireEpoch } from '../../checkpoint/epoch.ts';
import { readCheckpoint, requireCheckpoint } from '../../checkpoint/store.ts';
import { withConnection } from '../../mysql/connection.ts';
import { whileSteering } from '../native/while-steering.ts';
import { describeCounters } from './describe-task.ts';
import type { DmsPlace } from './job.ts';
import { attemptOf, syncOf, useUpAttempt } from './memory.ts';
import { growingPause, patiently } from './patience.ts';
import { connectToSource } from './task-requests.ts';

/**
 * For the end, and for a fresh start: silences whoever watched, and the service's task is at its end when
 * this resolves. Safe to repeat; nothing when there is none.
 */
export async function release(job: DmsPlace, signal: AbortSignal): Promise<void> {
  await end(job, signal);
}

/** `release`, and says what it did, one line each. */
export async function end(job: DmsPlace, signal: AbortSignal): Promise<string[]> {
  const { target, migration } = job;
  return await withConnection(target, { signal }, async (connection) => {
    if ((await readCheckpoint(connection, migration)) === null) return [];
    // Also where no task is known: a worker that was frozen may be about to begin one, and must not any more.
    await acquireEpoch(connection, migration);
    return await whileSteering(connection, migration, async () => {
      const checkpoint = await requireCheckpoint(connection, migration);
      const sync = syncOf(checkpoint);
      if (sync === null) return [];
      const notes = await endTask(job, sync.task, signal);
      await useUpAttempt(job, attemptOf(checkpoint), signal);
      return notes;
    });
  });
}

/** Cancels it if it runs, and waits for its end. Says so, and what it has counted, one line each. */
export async function endTask(
  job: DmsPlace,
  task: string,
  signal: AbortSignal,
  onLook: () => void = () => {},
): Promise<string[]> {
  const { service, project } = job;
  const look = () => patiently(signal, () => service.findTask(project, task, signal));
  let view: TaskView | null = await look();
  if (view === null) {
    await useUpName(job, task, signal);
    return [`the task ${task} of Azure DMS is not there`];
  }
  if (view.end !== null) {
    return [`the task ${task} of Azure DMS has ended (${view.state})`, ...describeCounters(view)];
  }
  const counters = describeCounters(view);
  const refused = await patiently(signal, () => service.cancelTask(project, task, signal)).then(
    () => null,
    (error: unknown) => error,
  );
  const pause = growingPause(200, 2_000, signal);
  do {
    await pause();
    view = await look();
    onLook();
    // One that has ended meanwhile may not be cancelled.
    if (refused !== null && view !== null && view.end === null) throw refused;
  } while (view !== null && view.end === null);
  return [`cancelled the task ${task} of Azure DMS`, ...counters];
}

/**
 * A worker that is thought dead may still send its request to begin the task, which would empty the tables. A
 * name is taken by whatever task has it, so one that only looks takes it.
 */
async function useUpName(job: DmsPlace, task: string, signal: AbortSignal): Promise<void> {
  const { service, project } = job;
  if (!(await patiently(signal, () => service.hasProject(project, signal)))) return;
  await patiently(signal, () => service.startTask(project, task, connectToSource(job), signal));
}
