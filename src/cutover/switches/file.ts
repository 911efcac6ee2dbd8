import { lstat, readFile, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { SkyferryFailure } from '../../failures.ts';
import { replaceUnchanged } from './replace-file.ts';
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
  return new FileSwitch(options);
}

class FileSwitch implements Switch {
  readonly consumer: string;
  readonly #path: string;
  readonly #from: string;
  readonly #to: string;
  readonly #allowedDirectories: readonly string[];

  constructor({ consumer, path, from, to, allowedDirectories }: FileSwitchOptions) {
    this.consumer = consumer;
    this.#path = path;
    this.#from = from;
    this.#to = to;
    this.#allowedDirectories = allowedDirectories;
  }

  describe(): string {
    return `in file ${this.#path}, ${this.#from} becomes ${this.#to}`;
  }

  async precondition(): Promise<void> {
    const { holds } = await this.#inspect();
    if (holds !== 'from' && holds !== 'to') throw this.#refuse(describeHolds(holds));
  }

  async do(): Promise<void> {
    await this.#replace('from');
  }

  async undo(): Promise<void> {
    await this.#replace('to');
  }

  async probe(): Promise<void> {
    const { holds } = await this.#inspect();
    if (holds !== 'to') throw this.#refuse('is not switched', 'the file was looked at only');
  }

  async #replace(before: 'from' | 'to'): Promise<void> {
    const { real, bytes, holds } = await this.#inspect();
    if (holds === (before === 'from' ? 'to' : 'from')) return;
    if (holds !== before) throw this.#refuse(describeHolds(holds));
    const [old, next] = before === 'from' ? [this.#from, this.#to] : [this.#to, this.#from];
    const text = bytes
      .toString('latin1')
      .replace(occurrences(this.#from, this.#to), (found) =>
        found === latin1(old) ? latin1(next) : found,
      );
    const replaced = await replaceUnchanged(real, bytes, Buffer.from(text, 'latin1')).catch(
      (error: unknown) => {
        throw this.#refuse(`could not be replaced (${errorCode(error)})`);
      },
    );
    if (!replaced) throw this.#refuse('was changed by somebody else');
  }

  async #inspect(): Promise<{ real: string; bytes: Buffer; holds: Holds }> {
    const real = await this.#locate();
    const bytes = await readFile(real).catch(() => {
      throw this.#refuse('cannot be read');
    });
    return { real, bytes, holds: whatItHolds(bytes.toString('latin1'), this.#from, this.#to) };
  }

  async #locate(): Promise<string> {
    const candidates = isAbsolute(this.#path)
      ? [this.#path]
      : this.#allowedDirectories.map((directory) => resolve(directory, this.#path));
    const found = await Promise.all(candidates.map((each) => realpath(each).catch(() => null)));
    const real = found.find((each) => each !== null) ?? null;
    if (real === null) throw this.#refuse('does not exist, or cannot be reached');
    const directories = await Promise.all(
      this.#allowedDirectories.map((directory) => realpath(directory).catch(() => null)),
    );
    if (!directories.some((directory) => directory !== null && isBelow(directory, real))) {
      throw this.#refuse('is not below a directory that this worker was started with');
    }
    if (!(await lstat(real)).isFile()) throw this.#refuse('is not a regular file');
    return real;
  }

  #refuse(what: string, safe = 'the file is unchanged'): SkyferryFailure {
    return new SkyferryFailure('SWITCH_FAILED', `file ${this.#path}: ${what}`, { safe });
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

function isBelow(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
