import type { TaskRequest } from '../../clouds/azure/data-migration/task-request.ts';
import type { TaskView } from '../../clouds/azure/data-migration/task-view.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import { refusedConnection } from './failures.ts';
import type { DmsJob } from './job.ts';
import { attemptOf, useUpAttempt } from './memory.ts';
import { growingPause, patiently } from './patience.ts';
import { connectToSource, connectToTarget } from './task-requests.ts';

const SIDES = ['source', 'target'] as const;
type Side = (typeof SIDES)[number];

/**
 * Lets the service log in to both servers and say what it misses there. Tasks that an earlier worker began
 * are waited for; those that an earlier attempt saw fail are not asked again. Throws what is missing.
 */
export async function connectBoth(job: DmsJob, signal: AbortSignal): Promise<void> {
  const { service, project } = job;
  if (!(await patiently(signal, () => service.hasProject(project, signal)))) throw noProject(job);
  let attempt = await currentAttempt(job, signal);
  while (await hasFailed(job, attempt, signal)) {
    attempt = await useUpAttempt(job, attempt, signal);
  }
  const views = await Promise.all(SIDES.map((side) => look(job, side, attempt, signal)));
  for (const [i, side] of SIDES.entries()) {
    const view = views[i];
    const refused = view === undefined ? null : refusedConnection(view, side);
    if (refused === null) continue;
    await useUpAttempt(job, attempt, signal);
    throw refused;
  }
}

async function hasFailed(job: DmsJob, attempt: number, signal: AbortSignal): Promise<boolean> {
  const views = await Promise.all(
    SIDES.map((side) =>
      patiently(signal, () => job.service.findTask(job.project, nameOf(side, attempt), signal)),
    ),
  );
  return SIDES.some((side, i) => {
    const view = views[i] ?? null;
    return view !== null && refusedConnection(view, side) !== null;
  });
}

async function look(
  job: DmsJob,
  side: Side,
  attempt: number,
  signal: AbortSignal,
): Promise<TaskView> {
  const { service, project } = job;
  const name = nameOf(side, attempt);
  const find = () => patiently(signal, () => service.findTask(project, name, signal));
  const view =
    (await find()) ??
    (await patiently(signal, () => service.startTask(project, name, requestOf(job, side), signal)));
  const pause = growingPause(200, 2_000, signal);
  for (let now = view; ;) {
    // What nobody knows is no reason to wait.
    if (now.end !== null || now.unknown.length > 0) return now;
    await pause();
    now = (await find()) ?? gone(name);
  }
}

function requestOf(job: DmsJob, side: Side): TaskRequest {
  return side === 'source' ? connectToSource(job) : connectToTarget(job);
}

function nameOf(side: Side, attempt: number): string {
  return `${side}-${attempt}`;
}

async function currentAttempt(job: DmsJob, signal: AbortSignal): Promise<number> {
  return await withConnection(job.target, { signal }, async (target) =>
    attemptOf(await requireCheckpoint(target, job.migration)),
  );
}

/** It was made by the preparation, which is over. */
function noProject({ service, project }: DmsJob): SkyferryFailure {
  return new SkyferryFailure(
    'CLOUD_FAILED',
    `the migration service ${service.name} with its project ${project} is not there any more`,
    {
      safe: 'the source takes writes as before; no row was moved',
      next: 'switch-engine goes on with another engine and without it; or abort and begin anew, which makes another one',
    },
  );
}

function gone(name: string): never {
  throw new SkyferryFailure('TRANSIENT', `the task ${name} of Azure DMS is not there any more`);
}
