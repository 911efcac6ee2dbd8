import type { TaskView } from '../../clouds/azure/data-migration/task-view.ts';
import { readCheckpoint } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import { isRemoved } from '../native/memory.ts';
import { judgeCompletion, notCompleted, reasonsOf } from './failures.ts';
import type { DmsPlace } from './job.ts';
import type { SyncMemory } from './memory.ts';
import { rememberDms, syncOf } from './memory.ts';
import { patiently, pausing } from './patience.ts';
import { countersIfApplied } from './watch-task.ts';

/** Short: the wait is part of a cutover's downtime. */
const POLL_MS = 300;

/**
 * Behind the fence: once the service has applied what came in, which it has to say twice, each database is
 * completed, and its end awaited. Killed anywhere it may be repeated; nothing when no task applies.
 */
export async function detach(job: DmsPlace, signal: AbortSignal): Promise<void> {
  const sync = await readSync(job, signal);
  if (sync === null) return;
  if (sync.takingOver) return await awaitTakenOver(job, sync, signal);
  if (sync.completed) return;
  const { task } = sync;
  if (!sync.completing) {
    await awaitApplied(job, task, signal);
    // It may have taken long: what another attempt has taken back meanwhile goes on with the task.
    await readSync(job, signal);
    await note(job, { completing: task });
  }
  await complete(job, task, signal);
  await note(job, { completed: task });
}

/** Refuses when the cutover does not want it any more. */
async function readSync(
  { target, migration }: DmsPlace,
  signal: AbortSignal,
): Promise<SyncMemory | null> {
  const checkpoint = await withConnection(target, { signal }, (c) => readCheckpoint(c, migration));
  const sync = checkpoint === null ? null : syncOf(checkpoint);
  if (checkpoint !== null && sync !== null && !isRemoved(checkpoint)) {
    throw new SkyferryFailure('EPOCH_LOST', 'the cutover was taken back by another attempt', {
      safe: 'the tasks of Azure DMS were left as they are',
    });
  }
  return sync;
}

async function note(
  { target, migration }: DmsPlace,
  patch: Parameters<typeof rememberDms>[2],
): Promise<void> {
  await withConnection(target, {}, (c) => rememberDms(c, migration, patch));
}

/** Until our own applier has copied again what it has to: that must not go on behind the switch. */
async function awaitTakenOver(job: DmsPlace, sync: SyncMemory, signal: AbortSignal): Promise<void> {
  for (let now: SyncMemory | null = sync; now !== null && !now.takenOver;) {
    await pausing(POLL_MS, signal);
    now = await readSync(job, signal);
  }
}

async function awaitApplied(job: DmsPlace, task: string, signal: AbortSignal): Promise<void> {
  for (let last: string | null = null; ;) {
    const { sync } = await look(job, task, signal);
    const now = sync === null ? null : countersIfApplied(sync);
    if (now !== null && now === last) return;
    last = now;
    await pausing(POLL_MS, signal);
  }
}

async function complete(job: DmsPlace, task: string, signal: AbortSignal): Promise<void> {
  const told = new Set<string>();
  for (;;) {
    const view = await look(job, task, signal);
    const open = (view.sync?.databases ?? []).filter(({ state }) => state !== 'COMPLETE');
    if (view.end === 'succeeded' && open.length === 0) return;
    for (const { name } of open) {
      const last = view.commands.findLast(({ database }) => database === name);
      // One that succeeded comes before its database's state says so.
      if (last !== undefined && last.state !== 'Failed') told.add(name);
      else if (!told.has(name)) {
        // One that failed under an earlier worker is sent once more.
        await tell(job, task, name, signal);
        told.add(name);
      } else if (last !== undefined) {
        throw notCompleted(task, `the command for ${name} failed: ${reasonsOf(last.errors)}`);
      }
    }
    await pausing(POLL_MS, signal);
  }
}

async function tell(
  { service, project }: DmsPlace,
  task: string,
  database: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const state = await patiently(signal, () =>
      service.completeDatabase(project, task, database, signal),
    );
    if (state === 'Failed') throw notCompleted(task, `the command for ${database} failed`);
  } catch (error) {
    signal.throwIfAborted();
    // Taken on, its answer lost, and refused when it was sent once more.
    const { commands } = await look({ service, project }, task, signal);
    if (!commands.some((command) => command.database === database)) throw error;
  }
}

async function look(
  { service, project }: Pick<DmsPlace, 'service' | 'project'>,
  task: string,
  signal: AbortSignal,
): Promise<TaskView> {
  const view = await patiently(signal, () => service.findTask(project, task, signal));
  if (view === null) throw notCompleted(task, 'it is not there any more');
  const failure = judgeCompletion(task, view);
  if (failure !== null) throw failure;
  return view;
}
