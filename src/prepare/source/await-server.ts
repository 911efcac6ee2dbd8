import { setTimeout as pause } from 'node:timers/promises';
import type { RdsView } from '../../clouds/aws/rds.ts';
import { isFailure, SkyferryFailure } from '../../failures.ts';
import { serves } from './look.ts';
import type { ServerSettings } from './server-settings.ts';
import type { RdsSource } from './source.ts';
import { askServer, requireView } from './source.ts';

const POLL_MS = 3_000;
/** RDS's answers are not always of one moment: what is still as before so long stays as before. */
const LOOKS_BEFORE_GIVING_UP = 10;

export interface Waiting {
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
}

/** From which nothing comes back by waiting. */
const stuck =
  /^(failed|incompatible-.*|stopped|stopping|storage-full|deleting|inaccessible-encryption-credentials.*|restore-error)$/;

/** Looks again and again until `look` says what is so, or nothing of it came. */
async function untilSo<T>(source: RdsSource, signal: AbortSignal, look: () => Promise<T | null>) {
  for (;;) {
    signal.throwIfAborted();
    const found = await look();
    if (found !== null) return found;
    await pause(source.input.pollMs ?? POLL_MS, undefined, { signal });
  }
}

/** Resolves when the cloud says that the server serves again and no value is on its way to it. */
export async function untilAvailable(
  source: RdsSource,
  { signal, onProgress }: Waiting,
): Promise<RdsView> {
  return await untilSo(source, signal, async () => {
    const view = await requireView(source, signal);
    onProgress(`${source.server.id} is ${view.status}, its parameters are ${view.applyStatus}`);
    if (stuck.test(view.status)) {
      throw new SkyferryFailure('CLOUD_FAILED', `${source.server.id} is ${view.status}`, {
        next: `see its events in the RDS console, bring it back to available, then retry`,
      });
    }
    return serves(view) && view.applyStatus !== 'applying' ? view : null;
  });
}

/**
 * Resolves when the server itself says so too. What both agree is not so after many looks never will be.
 *
 * @param wrong what is not yet as it has to be; null: all is
 */
export async function untilServerSays(
  source: RdsSource,
  wrong: (settings: ServerSettings, view: RdsView) => string | null,
  waiting: Waiting,
): Promise<ServerSettings> {
  const { signal, onProgress } = waiting;
  let looks = 0;
  return await untilSo(source, signal, async () => {
    const view = await untilAvailable(source, waiting);
    const settings = await askServer(source, view, signal).catch((error: unknown) => {
      // It was available a moment ago: the name or the port come a little later.
      if (isFailure(error) && error.retryable) return null;
      throw error;
    });
    if (settings === null) return null;
    const missing = wrong(settings, view);
    if (missing === null) return settings;
    onProgress(missing);
    if (++looks < LOOKS_BEFORE_GIVING_UP) return null;
    throw new SkyferryFailure('CLOUD_FAILED', `${source.server.id}: ${missing}`, {
      safe: 'the source takes writes as before',
      next: `see the instance’s events and its parameter group in the RDS console, then retry`,
    });
  });
}
