import type { Holder } from '../../checkpoint/epoch.ts';
import { acquireEpoch, updateCheckpoint } from '../../checkpoint/epoch.ts';
import type { Checkpoint } from '../../checkpoint/store.ts';
import { readCheckpoint } from '../../checkpoint/store.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { Grants } from '../../mysql/grants.ts';
import { dropAccount } from './account.ts';
import { isOurs } from './attach.ts';
import { restoreKnobs } from './knobs.ts';
import { later, memoryOf, rememberNative, wasBegun } from './memory.ts';
import { readApplied } from './read-applied.ts';
import { readReplicaStatus } from './replica-status.ts';
import { chooseSteering } from './steering.ts';
import { whileSteering } from './while-steering.ts';

interface Where {
  readonly target: Endpoint;
  readonly migration: string;
}

/**
 * For the cutover: stops and removes what was set up, and remembers where it stood. Whoever watches must
 * have been told before that it is not wanted any more. Safe to repeat; nothing when there is none.
 */
export async function detach({ target, migration }: Where, signal: AbortSignal): Promise<void> {
  await withConnection(target, { signal }, async (connection) => {
    await stopAndRemove(connection, migration, null);
  });
}

/**
 * For another engine, and for the end: silences whoever watched, removes the replication, and the
 * checkpoint's position is what was applied. Also where none is known: a worker that was frozen may be about
 * to set it up, and must not any more. Safe to repeat. Returns whether there was one.
 */
export async function release({ target, migration }: Where, signal: AbortSignal): Promise<boolean> {
  return await withConnection(target, { signal }, async (connection) => {
    if ((await readCheckpoint(connection, migration)) === null) return false;
    const holder = { name: migration, epoch: await acquireEpoch(connection, migration) };
    if (!(await stopAndRemove(connection, migration, holder))) return false;
    await rememberNative(connection, migration, { source: null, stoppedAt: null });
    return true;
  });
}

/** `release`, and nothing stays behind on the source either. Says what it did, one line each. */
export async function end(
  { source, ...where }: Where & { readonly source: Endpoint },
  signal: AbortSignal,
): Promise<string[]> {
  const notes = (await release(where, signal))
    ? ["removed MySQL's replication from the target"]
    : [];
  const checkpoint = await withConnection(where.target, { signal }, (connection) =>
    readCheckpoint(connection, where.migration),
  );
  const created = checkpoint === null ? null : (memoryOf(checkpoint).created ?? null);
  if (created !== null) {
    notes.push(await dropAccount(source, created, signal));
    await withConnection(where.target, { signal }, (connection) =>
      rememberNative(connection, where.migration, { created: null }),
    );
  }
  return notes;
}

/** False: none was set up. */
async function stopAndRemove(
  target: Connection,
  migration: string,
  holder: Holder | null,
): Promise<boolean> {
  return await whileSteering(target, migration, async () => {
    const checkpoint = await readCheckpoint(target, migration);
    if (checkpoint === null || !wasBegun(checkpoint)) return false;
    const memory = memoryOf(checkpoint);
    const found = await readReplicaStatus(target);
    if (found !== null && isOurs(found, memory)) {
      const steering = chooseSteering(await Grants.read(target));
      await steering.stop(target);
      const stopped = await readReplicaStatus(target);
      if (stopped?.applied) {
        await rememberNative(target, migration, {
          stoppedAt: later(stopped.applied, memory.stoppedAt),
        });
      }
      if (holder !== null) await fold(target, checkpoint, holder);
      await steering.remove(target);
    }
    await restoreKnobs(target, memory.formers ?? {});
    await rememberNative(target, migration, { formers: null });
    return true;
  });
}

/** Before it is removed: afterwards nothing but the checkpoint says where it stood. */
async function fold(target: Connection, before: Checkpoint, holder: Holder): Promise<void> {
  const applied = await readApplied(target, before);
  if (applied === null) return;
  await updateCheckpoint(target, holder, {
    position: applied.position,
    sourceTime: null,
    lagMs: null,
    transactions: applied.transactions,
    rowChanges: 0,
  });
}
