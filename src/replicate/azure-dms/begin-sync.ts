import type { Holder } from '../../checkpoint/epoch.ts';
import { assertEpoch } from '../../checkpoint/epoch.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import { whileSteering } from '../native/while-steering.ts';
import { connectBoth } from './connect.ts';
import { vanished } from './failures.ts';
import type { DmsJob } from './job.ts';
import type { DmsMemory } from './memory.ts';
import { attemptOf, memoryOf, nextAttempt, rememberDms } from './memory.ts';
import { patiently } from './patience.ts';
import { sync } from './task-requests.ts';

/**
 * Makes sure that a task moves the rows: one that was begun before is taken up. Returns its name. Killed
 * anywhere it can be called again, and there is one task.
 */
export async function beginSync(job: DmsJob, holder: Holder, signal: AbortSignal): Promise<string> {
  const known = await withConnection(job.target, { signal }, async (target) =>
    memoryOf(await requireCheckpoint(target, job.migration)),
  );
  if ((known.task ?? null) === null) await connectBoth(job, signal);
  return await patiently(signal, () => begin(job, holder, signal));
}

async function begin(job: DmsJob, holder: Holder, signal: AbortSignal): Promise<string> {
  const { service, project, migration } = job;
  const request = sync(job);
  return await withConnection(job.target, { signal }, async (target) =>
    whileSteering(target, migration, async () => {
      // Under the lock: a worker that was frozen until now must not begin what others have ended.
      await assertEpoch(target, holder);
      const memory = memoryOf(await requireCheckpoint(target, migration));
      const task = memory.task ?? (await newName(job, target, memory, signal));
      if ((await service.findTask(project, task, signal)) !== null) return task;
      if (memory.loaded === true) throw vanished(task);
      await rememberDms(target, migration, { task });
      await service.startTask(project, task, request, signal);
      return task;
    }),
  );
}

/** A project may hold what an earlier migration of this name has left. */
async function newName(
  { service, project, migration }: DmsJob,
  target: Connection,
  memory: DmsMemory,
  signal: AbortSignal,
): Promise<string> {
  let next = memory;
  for (;;) {
    const name = `sync-${attemptOf(next)}`;
    const found = await service.findTask(project, name, signal);
    if (found === null) return name;
    if (found.end === null) throw notOurs(name, project);
    next = nextAttempt(next);
    await rememberDms(target, migration, next);
  }
}

function notOurs(task: string, project: string): SkyferryFailure {
  return new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `the task ${task} of project ${project} runs in Azure DMS, and this migration has not begun it`,
    { safe: 'it was left as it is', next: 'cancel it if nobody needs it, then retry-phase' },
  );
}
