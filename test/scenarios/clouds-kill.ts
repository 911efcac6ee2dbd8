import { look } from '../../src/sandbox/demo/follow.ts';
import type { Call, CloudsLab } from './clouds-lab.ts';
import type { CloudsRun } from './clouds-run.ts';

/** Where a worker is killed: the place is held by the clouds, by connections that drop or answers that wait. */
export type Moment =
  /** The request that changes something has not reached the cloud. */
  | { readonly at: 'before'; readonly call: Call }
  /** It was carried out, and the worker has not heard so. */
  | { readonly at: 'sent'; readonly call: Call }
  /** The worker asks what became of it, for the first time after `looks` requests of that kind. */
  | { readonly at: 'polling'; readonly poll: Call; readonly looks: number };

/** Longer than it takes to see that it is held, and to kill. */
const HELD_MS = 8_000;

/**
 * `go` begins what leads there (another worker, if nothing else is said); resolves when the worker that
 * got there is dead and Temporal knows, to the activities that it ran. No worker runs then, so the next
 * place can be chosen in time.
 */
export async function killAt(
  lab: CloudsLab,
  run: CloudsRun,
  moment: Moment,
  go?: () => Promise<void>,
): Promise<string[]> {
  const proceed = async () => {
    if (lab.worker === null) lab.startWorker();
    await go?.();
  };
  if (moment.at === 'polling') await holdPoll(lab, moment, proceed);
  else await holdCall(lab, moment, proceed);
  const { activities } = await look(run.handle);
  lab.killWorker();
  await lab.noMoreFaults();
  await run.workerIsLost();
  return activities.map(({ type }) => type);
}

async function holdCall(
  lab: CloudsLab,
  { at, call }: Extract<Moment, { call: Call }>,
  proceed: () => Promise<void>,
): Promise<void> {
  const before = (await lab.requests(call)).length;
  await lab.faults(
    at === 'before'
      ? { match: call, kind: 'drop-before', times: 1000 }
      : { match: call, kind: 'slow', delayMs: HELD_MS },
  );
  await proceed();
  await lab.untilRequested(call, before + 1);
}

async function holdPoll(
  lab: CloudsLab,
  { poll, looks }: Extract<Moment, { at: 'polling' }>,
  proceed: () => Promise<void>,
): Promise<void> {
  const before = (await lab.requests(poll)).length;
  await lab.faults(
    ...(looks > 0 ? [{ match: poll, kind: 'slow', delayMs: 0, times: looks } as const] : []),
    { match: poll, kind: 'slow', delayMs: HELD_MS },
  );
  await proceed();
  await lab.untilRequested(poll, before + looks + 1);
}
