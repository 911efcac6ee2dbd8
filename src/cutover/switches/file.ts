import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { lstat, open, readFile, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep, isAbsolute } from 'node:path';
import { SkyferryFailure } from '../../failures.ts';
import type { Switch } from './switch.ts';

export interface FileSwitchOptions {
  readonly consumer: string;
  /** Relative: below the first of the allowed directories in which it exists. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
  /** Only files below one of these, symbolic links resolved, may be changed. */
  readonly allowedDirectories: readonly string[];
}

/**
 * A connection string in a file: every occurrence of `from` becomes `to`, by a temporary file beside
 * it that is renamed over it. A file that holds neither, or both, is refused.
 */
export function createFileSwitch(options: FileSwitchOptions): Switch {
  const { consumer, path, from, to } = options;
  const refuse = (what: string, safe = 'the file is unchanged'): SkyferryFailure =>
    new SkyferryFailure('SWITCH_FAILED', `file ${path}: ${what}`, { safe });

  const locate = async (): Promise<string> => {
    const candidates = isAbsolute(path)
      ? [path]
      : options.allowedDirectories.map((directory) => resolve(directory, path));
    const found = await Promise.all(candidates.map((each) => realpath(each).catch(() => null)));
    const real = found.find((each) => each !== null) ?? null;
    if (real === null) throw refuse('does not exist, or cannot be reached');
    const directories = await Promise.all(
      options.allowedDirectories.map((directory) => realpath(directory).catch(() => null)),
    );
    if (!directories.some((directory) => directory !== null && isBelow(directory, real))) {
      throw refuse('is not below a directory that this worker was started with');
    }
    if (!(await lstat(real)).isFile()) throw refuse('is not a regular file');
    return real;
  };

  const inspect = async (): Promise<{ real: string; bytes: Buffer; holds: Holds }> => {
    const real = await locate();
    const bytes = await readFile(real).catch(() => {
      throw refuse('cannot be read');
    });
    return { real, bytes, holds: whatItHolds(bytes.toString('latin1'), from, to) };
  };

  const replace = async (before: 'from' | 'to'): Promise<void> => {
    const { real, bytes, holds } = await inspect();
    if (holds === (before === 'from' ? 'to' : 'from')) return;
    if (holds !== before) throw refuse(describeHolds(holds));
    const [old, next] = before === 'from' ? [from, to] : [to, from];
    const text = bytes
      .toString('latin1')
      .replace(occurrences(from, to), (found) => (found === latin1(old) ? latin1(next) : found));
    await replaceAtomically(real, bytes, Buffer.from(text, 'latin1')).catch((error: unknown) => {
      if (error instanceof SkyferryFailure) throw error;
      throw refuse(`could not be replaced (${errorCode(error)})`);
    });
  };

  return {
    consumer,
    describe: () => `in file ${path}, ${from} becomes ${to}`,
    async precondition() {
      const { holds } = await inspect();
      if (holds !== 'from' && holds !== 'to') throw refuse(describeHolds(holds));
    },
    do: async () => await replace('from'),
    undo: async () => await replace('to'),
    async probe() {
      const { holds } = await inspect();
      if (holds !== 'to') throw refuse('is not switched', 'the file was looked at only');
    },
  };

  async function replaceAtomically(real: string, before: Buffer, after: Buffer): Promise<void> {
    const directory = dirname(real);
    const prefix = `.${basename(real)}.skyferry-`;
    // Left behind by a worker that was killed in here; holds what the file held.
    for (const name of await readdir(directory)) {
      if (name.startsWith(prefix)) await rm(join(directory, name), { force: true });
    }
    const temporary = join(directory, prefix + randomBytes(6).toString('hex'));
    const former = await lstat(real);
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(after);
      await keepOwner(file, former);
      await file.chmod(former.mode & 0o7777);
      await file.sync();
      if (!(await readFile(real)).equals(before)) throw refuse('was changed by somebody else');
      await rename(temporary, real);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    await syncDirectory(directory);
  }
}

type Holds = 'from' | 'to' | 'neither' | 'both';

function describeHolds(holds: Holds): string {
  return holds === 'both'
    ? 'holds the old endpoint and the new one'
    : 'does not hold the endpoint that the configuration names';
}

function whatItHolds(text: string, from: string, to: string): Holds {
  const found = new Set([...text.matchAll(occurrences(from, to))].map(([match]) => match));
  if (found.size === 2) return 'both';
  if (found.has(latin1(from))) return 'from';
  return found.has(latin1(to)) ? 'to' : 'neither';
}

/**
 * Either of the two as a whole word of a connection string: `db:3306` is not found in `old-db:3306`
 * or in `db:33060`. The longer one is tried first, since one may contain the other.
 */
function occurrences(from: string, to: string): RegExp {
  const [first, second] = [latin1(from), latin1(to)].sort((a, b) => b.length - a.length);
  return new RegExp(
    `(?<![\\w.-])(?:${escapePattern(first ?? '')}|${escapePattern(second ?? '')})(?![\\w.-])`,
    'g',
  );
}

/** Files are edited as bytes, so that no encoding of the rest can be damaged. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const escapePattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

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

function isBelow(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
