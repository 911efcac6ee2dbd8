import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../checkpoint/epoch.ts';
import { acquireEpochToApply, hasSwitchBegun } from '../checkpoint/epoch.ts';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { endFormerSession } from './apply-session.ts';

/** Failures in a row, none of them followed by a commit, until the caller hears of them. */
const ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 5000;
/** How often is looked whether a switch that has begun was taken back. */
const SWITCHED_PAUSE_MS = 1000;

interface Held {
  readonly target: Endpoint;
  readonly migration: string;
}

/**
 * Takes the migration's epoch and runs until it returns, fails for good or is aborted (rejects with the
 * signal's reason). While the consumers are being switched, and afterwards, it waits: the cutover has taken
 * the epoch, and gives it back when it is taken back. What goes away by itself is tried again, with the same epoch; CONNECTION_LOST and
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
      if (isFailure(error, 'EPOCH_LOST') && (await isSwitching(job))) {
        holder = null;
        continue;
      }
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
  for (;;) {
    const epoch = await withConnection(target, { signal }, async (connection) => {
      await endFormerSession(connection, migration);
      return await acquireEpochToApply(connection, migration);
    });
    if (epoch !== null) return { name: migration, epoch };
    await delay(SWITCHED_PAUSE_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function isSwitching({ target, migration }: Held): Promise<boolean> {
  return await withConnection(target, {}, (c) => hasSwitchBegun(c, migration)).catch(() => false);
}

async function committedPosition({ target, migration }: Held): Promise<string | null> {
  return withConnection(target, {}, async (connection) => {
    const { position } = await requireCheckpoint(connection, migration);
    return position?.gtidSet ?? null;
  });
}
