import type { SyncView, TaskView } from '../../clouds/azure/data-migration/task-view.ts';
import { readCheckpoint } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import { isRemoved } from '../native/memory.ts';
import { notCompleted, reasonsOf } from './failures.ts';
import type { DmsPlace } from './job.ts';
import type { SyncMemory } from './memory.ts';
import { rememberDms, syncOf } from './memory.ts';
import { patiently, pausing } from './patience.ts';
import { countersIfApplied } from './watch-task.ts';

/** Short: the wait is part of a cutover's downtime. */
const POLL_MS = 300;
/** Taken on, or being worked on. */
const PENDING = new Set(['Unknown', 'Accepted', 'Running']);

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
    for (const database of open) {
      if (isPending(view, database)) told.add(database.name);
      else if (told.has(database.name)) refuseFailed(task, view, database);
      else {
        await tell(job, task, database.name, signal);
        told.add(database.name);
      }
    }
    await pausing(POLL_MS, signal);
  }
}

type Database = SyncView['databases'][number];

function isPending({ commands }: TaskView, { name }: Database): boolean {
  return PENDING.has(commands.findLast(({ database }) => database === name)?.state ?? '');
}

/** A command that succeeded comes before its database's state says so. */
function refuseFailed(task: string, { commands }: TaskView, { name }: Database): void {
  const last = commands.findLast(({ database }) => database === name);
  if (last?.state !== 'Failed') return;
  throw notCompleted(task, `the command for ${name} failed: ${reasonsOf(last.errors)}`);
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
  if (view.unknown.length > 0) {
    throw notCompleted(task, `it says what is not known: ${view.unknown.join(', ')}`);
  }
  if (view.end === 'failed') {
    throw notCompleted(task, `it ended as ${view.state}: ${reasonsOf(view.errors)}`);
  }
  return view;
}
