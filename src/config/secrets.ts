import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import type { AwsClients, DatabaseLogin } from '../clouds/aws/clients.ts';
import { createAwsClients } from '../clouds/aws/clients.ts';
import { createAwsSecrets } from '../clouds/aws/secret-values.ts';
import { SkyferryFailure } from '../failures.ts';

/**
 * Turns `${env:NAME}`, `${file:path}` and `${aws-secret:name#key}` into their values, on the worker,
 * only for fields that are marked secret. Files are read only below the directory that the worker was
 * started with.
 */
export interface SecretResolver {
  resolve(reference: string): Promise<string>;
  /** What stands for the password with `authentication: iam`; valid for 15 minutes. */
  databaseToken(login: DatabaseLogin): Promise<string>;
}

export interface SecretSources {
  readonly secretsDirectory: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly aws?: AwsClients;
}

export function createSecretResolver({
  secretsDirectory,
  env,
  aws = createAwsClients({ env }),
}: SecretSources): SecretResolver {
  const fromAws = createAwsSecrets(aws, env);
  return {
    databaseToken: (login) => aws.databaseToken(login),
    async resolve(reference) {
      const match = /^\$\{(env|file|aws-secret):([^}]+)\}$/.exec(reference);
      // The value may be a secret that somebody pasted in: it is not repeated.
      if (match === null) {
        throw unresolved(
          'a secret',
          'is not a reference',
          '${env:NAME}, ${file:path} or ${aws-secret:name#key}',
        );
      }
      const [, kind, name = ''] = match;
      if (kind === 'env') return fromEnv(env, name);
      if (kind === 'file') return await fromFile(secretsDirectory, name);
      const [secret = '', key] = name.split('#');
      return await fromAws(secret, key ?? null);
    },
  };
}

function fromEnv(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw unresolved(
    `\${env:${name}}`,
    'is not set where it is needed: in the environment of the worker, or of this command',
    `set ${name} there`,
  );
}

async function fromFile(directory: string | undefined, name: string): Promise<string> {
  const reference = `\${file:${name}}`;
  if (directory === undefined) {
    throw unresolved(
      reference,
      'cannot be read: no secrets directory was given',
      'give one to the worker, or to this command: --secrets DIR, or SKYFERRY_SECRETS',
    );
  }
  const root = await realpath(directory).catch(() => resolve(directory));
  const wanted = isAbsolute(name) ? name : resolve(root, name);
  const real = await realpath(wanted).catch((error: NodeJS.ErrnoException) => {
    throw unresolved(
      reference,
      `cannot be read (${error.code})`,
      'put the file below the secrets directory',
    );
  });
  // After realpath, so that neither `..` nor a link leads out.
  if (real !== root && !real.startsWith(root + sep)) {
    throw unresolved(
      reference,
      'lies outside the secrets directory',
      'move the file, or give another --secrets DIR',
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
