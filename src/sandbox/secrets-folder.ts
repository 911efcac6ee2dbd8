import { randomInt } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
const LENGTH = 28;

/** One file a secret, so that `${file:name}` in a configuration names it; readable by its owner only. */
export interface SecretsFolder {
  readonly path: string;
  /** The kept secret of that name, generated on the first call. */
  password(name: string): Promise<string>;
  write(name: string, text: string): Promise<void>;
  /** Null when it was never written. */
  read(name: string): Promise<string | null>;
}

export async function openSecretsFolder(path: string): Promise<SecretsFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const read = async (name: string) => {
    try {
      return await readFile(join(path, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  };
  const write = (name: string, text: string) => writeFile(join(path, name), text, { mode: 0o600 });
  return {
    path,
    read,
    write,
    password: async (name) => {
      const kept = (await read(name))?.trim();
      if (kept !== undefined && kept !== '') return kept;
      const generated = generatePassword();
      await write(name, `${generated}\n`);
      return generated;
    },
  };
}

export function generatePassword(): string {
  return Array.from({ length: LENGTH }, () => alphabet[randomInt(alphabet.length)]).join('');
}
