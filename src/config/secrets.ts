import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import { SkyferryFailure } from '../failures.ts';

/**
 * Turns `${env:NAME}` and `${file:path}` into their values, on the worker, only for fields that are
 * marked secret. Files are read only below the directory that the worker was started with.
 */
export interface SecretResolver {
  resolve(reference: string): Promise<string>;
}

export interface SecretSources {
  readonly secretsDirectory: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export function createSecretResolver({ secretsDirectory, env }: SecretSources): SecretResolver {
  return {
    async resolve(reference) {
      const match = /^\$\{(env|file):([^}]+)\}$/.exec(reference);
      // The value may be a secret that somebody pasted in: it is not repeated.
      if (match === null)
        throw unresolved('a secret', 'is not a reference', '${env:NAME} or ${file:path}');
      const name = match[2] ?? '';
      return match[1] === 'env' ? fromEnv(env, name) : await fromFile(secretsDirectory, name);
    },
  };
}

function fromEnv(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw unresolved(
    `\${env:${name}}`,
    'is not set on this worker',
    `start the worker with ${name} set`,
  );
}

async function fromFile(directory: string | undefined, name: string): Promise<string> {
  const reference = `\${file:${name}}`;
  if (directory === undefined) {
    throw unresolved(
      reference,
      'cannot be read: this worker has no secrets directory',
      'start it with --secrets DIR',
    );
  }
  const root = await realpath(directory).catch(() => resolve(directory));
  const wanted = isAbsolute(name) ? name : resolve(root, name);
  const real = await realpath(wanted).catch((error: NodeJS.ErrnoException) => {
    throw unresolved(
      reference,
      `cannot be read (${error.code})`,
      `put the file below the worker's secrets directory`,
    );
  });
  // After realpath, so that neither `..` nor a link leads out.
  if (real !== root && !real.startsWith(root + sep)) {
    throw unresolved(
      reference,
      "lies outside the worker's secrets directory",
      'move the file, or start the worker with another --secrets DIR',
    );
  }
  const text = await readFile(real, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unresolved(reference, `cannot be read (${error.code})`, 'check its permissions');
  });
  return text.replace(/\r?\n$/, '');
}

function unresolved(what: string, why: string, next: string): SkyferryFailure {
  return new SkyferryFailure('SECRET_UNRESOLVED', `${what} ${why}`, { next });
}
