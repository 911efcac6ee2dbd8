import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { ProcessIdentity } from '../process/identity.ts';
import { identify, isAlive } from '../process/identity.ts';

/** Where programs and prepared data folders are kept between runs; removing it loses only time. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const xdg = env['XDG_CACHE_HOME'];
  // The XDG specification has relative paths ignored.
  const base =
    xdg !== undefined && isAbsolute(xdg) ? xdg : join(env['HOME'] ?? homedir(), '.cache');
  return join(base, 'skyferry');
}

/**
 * The folder `cache/name`, made by `make` when it is not there. Made in a staging folder under a
 * lock and moved into place at once, so that no half-made entry is ever seen; a second process waits
 * for the first.
 */
export async function cached(
  cache: string,
  name: string,
  make: (staging: string) => Promise<void>,
  options: { signal?: AbortSignal; onWait?: (holder: number) => void } = {},
): Promise<string> {
  const entry = join(cache, name);
  if (existsSync(entry)) return entry;
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await using _ = await lock(join(cache, `${name}.lock`), options);
  if (existsSync(entry)) return entry;
  await removeLeftovers(cache);
  const staging = join(cache, `.staging-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(staging);
  try {
    await make(staging);
    await rename(staging, entry).catch((error: unknown) => {
      if (!existsSync(entry)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return entry;
}

/** Staging folders of processes that are gone. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const pid = /^\.staging-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && identify(Number(pid)) === null) {
      await rm(join(cache, name), { recursive: true, force: true });
    }
  }
}

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
