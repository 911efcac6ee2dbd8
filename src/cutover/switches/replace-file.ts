import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { lstat, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces the whole file, so that readers see either content and a crash leaves one of the two.
 * False, and nothing replaced, when it no longer holds `before`.
 */
export async function replaceUnchanged(
  path: string,
  before: Buffer,
  after: Buffer,
): Promise<boolean> {
  const directory = dirname(path);
  const prefix = `.${basename(path)}.skyferry-`;
  await removeLeftovers(directory, prefix);
  const temporary = join(directory, prefix + randomBytes(6).toString('hex'));
  const former = await lstat(path);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(after);
    await keepOwner(file, former);
    await file.chmod(former.mode & 0o7777);
    await file.sync();
    if (!(await readFile(path)).equals(before)) {
      await rm(temporary, { force: true });
      return false;
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await syncDirectory(directory);
  return true;
}

/** Of a worker that was killed in here; they hold what the file held, passwords perhaps. */
async function removeLeftovers(directory: string, prefix: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(prefix)) await rm(join(directory, name), { force: true });
  }
}

async function keepOwner(file: FileHandle, former: { uid: number; gid: number }): Promise<void> {
  const own = await file.stat();
  if (own.uid !== former.uid || own.gid !== former.gid) await file.chown(former.uid, former.gid);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
