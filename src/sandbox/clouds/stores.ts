import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Store } from './service.ts';

/**
 * Opens stores below a folder: one JSON file each, replaced at once, readable by its owner only. Services
 * that ask for the same name share one store.
 */
export function storesIn(folder: string): <T>(name: string, initial: T) => Promise<Store<T>> {
  const opened = new Map<string, Promise<unknown>>();
  return <T>(name: string, initial: T) => {
    const store = opened.get(name) ?? open(join(folder, `${name}.json`), initial);
    opened.set(name, store);
    return store as Promise<Store<T>>;
  };
}

async function open<T>(file: string, initial: T): Promise<Store<T>> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return new FileStore<T>(file, (await read<T>(file)) ?? structuredClone(initial));
}

class FileStore<T> implements Store<T> {
  readonly value: T;
  readonly #file: string;
  #last: Promise<void> = Promise.resolve();
  #number = 0;

  constructor(file: string, value: T) {
    this.#file = file;
    this.value = value;
  }

  /** One write after another, each of what the value is when its turn comes. */
  save(): Promise<void> {
    const saved = this.#last.then(() => this.#write());
    this.#last = saved.catch(() => {});
    return saved;
  }

  async #write(): Promise<void> {
    const staging = `${this.#file}.${process.pid}.${this.#number++}`;
    await writeFile(staging, JSON.stringify(this.value, null, 1), { mode: 0o600 });
    await rename(staging, this.#file);
  }
}

async function read<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
