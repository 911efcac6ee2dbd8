import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { ProcessIdentity } from './identity.ts';
import { identify, isAlive } from './identity.ts';

/**
 * An exclusive lock: a file that names its holder. A holder that is gone, or whose number now
 * belongs to another process, holds nothing.
 */
export async function lock(
  file: string,
  options: { signal?: AbortSignal; onWait?: (holder: number) => void } = {},
): Promise<AsyncDisposable> {
  const me = identify(process.pid);
  const mine = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(mine, JSON.stringify(me), { mode: 0o600 });
  let announced = false;
  try {
    // A link appears with its content, unlike a file that is created and then written.
    while (!(await linked(mine, file))) {
      options.signal?.throwIfAborted();
      const holder = await readHolder(file);
      if (holder === null) continue;
      if (!isAlive(holder)) {
        await takeAway(file, holder);
        continue;
      }
      if (!announced) options.onWait?.(holder.pid);
      announced = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    await rm(mine, { force: true });
  }
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Null when the lock was released just now. Unreadable content counts as a holder that is gone. */
async function readHolder(file: string): Promise<ProcessIdentity | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const { pid, startTime } = JSON.parse(text) as ProcessIdentity;
    return { pid, startTime };
  } catch {
    return { pid: 0, startTime: 'unreadable' };
  }
}

/** Moves a dead holder's lock away; puts it back when it turns out to be a living one's by now. */
async function takeAway(file: string, dead: ProcessIdentity): Promise<void> {
  const aside = `${file}.stale-${randomBytes(4).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  const moved = await readHolder(aside);
  if (moved !== null && moved.startTime !== dead.startTime) await linked(aside, file);
  await rm(aside, { force: true });
}
