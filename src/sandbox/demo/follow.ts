import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { LiveActivity } from '../../observe/live-progress.ts';
import { liveActivities } from '../../observe/live-progress.ts';
import type { MigrationStatus, Phase } from '../../workflows/messages.ts';

/** What can be seen of a migration without asking a worker: it may just have been killed. */
export interface Sight {
  readonly phase: Phase | undefined;
  readonly activities: readonly LiveActivity[];
  readonly running: boolean;
}

const POLL_MS = 100;

export async function look(handle: WorkflowHandle): Promise<Sight> {
  const description = await handle.describe();
  const [phase] = (description.searchAttributes['SkyferryPhase'] ?? []) as Phase[];
  return {
    phase,
    activities: liveActivities(description),
    running: description.status.name === 'RUNNING',
  };
}

/**
 * Looks until `seen` says yes. A migration that parks, or ends before that, is an error: the demo has
 * nothing to wait for then.
 */
export async function until(
  handle: WorkflowHandle,
  what: string,
  seen: (sight: Sight) => boolean,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<Sight> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const sight = await look(handle);
    if (seen(sight)) return sight;
    if (sight.phase === 'parked' || !sight.running) throw await explain(handle, what);
    if (Date.now() > deadline) throw new Error(`not ${what} within ${timeoutMs / 1000} s`);
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Why it does not go on, in the workflow's own words. */
export async function explain(handle: WorkflowHandle, what: string): Promise<Error> {
  const { phase, parkedIn, failure, blockers } = await handle.query<MigrationStatus>('status');
  const why = [failure?.message, failure?.safe, failure?.next, ...blockers].filter(Boolean);
  return new Error(
    `the migration is ${phase}${parkedIn === undefined ? '' : ` in ${parkedIn}`}, not ${what}: ${why.join('; ')}`,
  );
}

export const runs =
  (activity: string) =>
  ({ activities }: Sight): boolean =>
    activities.some(({ type, progress }) => type === activity && progress !== undefined);
