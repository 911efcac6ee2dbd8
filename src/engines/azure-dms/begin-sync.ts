import type { Holder } from '../../checkpoint/epoch.ts';
import { assertEpoch } from '../../checkpoint/epoch.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import { whileSteering } from '../native/while-steering.ts';
import { connectBoth } from './connect.ts';
import { vanished } from './failures.ts';
import type { DmsJob } from './job.ts';
import { attemptOf, rememberDms, syncOf, useUpAttempt } from './memory.ts';
import { patiently } from './patience.ts';
import { sync } from './task-requests.ts';

/**
 * Makes sure that a task moves the rows: one that was begun before is taken up. Returns its name. Killed
 * anywhere it can be called again, and there is one task.
 */
export async function beginSync(job: DmsJob, holder: Holder, signal: AbortSignal): Promise<string> {
  const known = await withConnection(job.target, { signal }, async (target) =>
    syncOf(await requireCheckpoint(target, job.migration)),
  );
  if (known === null) await connectBoth(job, signal);
  return await patiently(signal, () => begin(job, holder, signal));
}

async function begin(job: DmsJob, holder: Holder, signal: AbortSignal): Promise<string> {
  const { service, project, migration } = job;
  const request = sync(job);
  return await withConnection(job.target, { signal }, async (target) =>
    whileSteering(target, migration, async () => {
      // Under the lock: a worker that was frozen until now must not begin what others have ended.
      await assertEpoch(target, holder);
      const checkpoint = await requireCheckpoint(target, migration);
      const known = syncOf(checkpoint);
      const task = known?.task ?? (await newName(job, attemptOf(checkpoint), signal));
      if ((await service.findTask(project, task, signal)) !== null) return task;
      if (known?.loaded === true) throw vanished(task);
      await rememberDms(target, migration, { task });
      await service.startTask(project, task, request, signal);
      return task;
    }),
  );
}

/** A project may hold what an earlier migration of this name has left. */
async function newName(job: DmsJob, first: number, signal: AbortSignal): Promise<string> {
  const { service, project } = job;
  for (let attempt = first; ; attempt = await useUpAttempt(job, attempt, signal)) {
    const name = `sync-${attempt}`;
    const found = await service.findTask(project, name, signal);
    if (found === null) return name;
    if (found.end === null) throw notOurs(name, project);
  }
}

function notOurs(task: string, project: string): SkyferryFailure {
  return new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `the task ${task} of project ${project} runs in Azure DMS, and this migration has not begun it`,
    { safe: 'it was left as it is', next: 'cancel it if nobody needs it, then retry-phase' },
  );
}
