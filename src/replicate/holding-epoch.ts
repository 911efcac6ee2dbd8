import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../checkpoint/epoch.ts';
import { acquireEpoch } from '../checkpoint/epoch.ts';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { endFormerSession } from './apply-session.ts';

/** Failures in a row, none of them followed by a commit, until the caller hears of them. */
const ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 5000;

interface Held {
  readonly target: Endpoint;
  readonly migration: string;
}

/**
 * Takes the migration's epoch and runs until it returns, fails for good or is aborted (rejects with the
 * signal's reason). What goes away by itself is tried again, with the same epoch; CONNECTION_LOST and
 * TRANSIENT are thrown after several tries in which the position did not move.
 */
export async function holdingEpoch<T>(
  job: Held,
  signal: AbortSignal,
  run: (holder: Holder) => Promise<T>,
): Promise<T> {
  let holder: Holder | null = null;
  let failures = 0;
  let lastSeen: string | null = null;
  for (;;) {
    try {
      holder ??= await takeOver(job, signal);
      return await run(holder);
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error) || !error.retryable) throw error;
      const position = await committedPosition(job).catch(() => lastSeen);
      failures = position === lastSeen ? failures + 1 : 1;
      lastSeen = position;
      if (failures >= ATTEMPTS) throw error;
      const pause = Math.min(LONGEST_PAUSE_MS, 100 * 2 ** failures);
      await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

async function takeOver({ target, migration }: Held, signal: AbortSignal): Promise<Holder> {
  return withConnection(target, { signal }, async (connection) => {
    await endFormerSession(connection, migration);
    return { name: migration, epoch: await acquireEpoch(connection, migration) };
  });
}

async function committedPosition({ target, migration }: Held): Promise<string | null> {
  return withConnection(target, {}, async (connection) => {
    const { position } = await requireCheckpoint(connection, migration);
    return position?.gtidSet ?? null;
  });
}
