import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { identify } from './process/identity.ts';
import { lock } from './process/lock.ts';

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
