import { SkyferryFailure } from '../../failures.ts';
import type { AwsClients } from './clients.ts';
import { askAws, isAwsError } from './errors.ts';

/** The text of a secret, or the member `key` of its JSON. `name`: its name or ARN. */
export type AwsSecrets = (name: string, key: string | null) => Promise<string>;

/** Within it, everything that a migration's logins need comes from one call for each secret. */
const KEPT_MS = 30_000;

/**
 * Secrets Manager is asked when a secret is used, and again half a minute later: one that was changed
 * counts soon. The region is the ARN's, else AWS_REGION.
 */
export function createAwsSecrets(
  clients: Pick<AwsClients, 'secrets'>,
  env: NodeJS.ProcessEnv,
  now: () => number = Date.now,
): AwsSecrets {
  const kept = new Map<string, { readonly text: Promise<string>; readonly until: number }>();
  const textOf = async (name: string): Promise<string> => {
    for (const [each, { until }] of kept) if (until <= now()) kept.delete(each);
    const known = kept.get(name);
    if (known !== undefined) return await known.text;
    const text = fetchText(clients, env, name);
    kept.set(name, { text, until: now() + KEPT_MS });
    try {
      return await text;
    } catch (error) {
      kept.delete(name);
      throw error;
    }
  };
  return async (name, key) => {
    const text = await textOf(name);
    return key === null ? text : pick(text, name, key);
  };
}

async function fetchText(
  clients: Pick<AwsClients, 'secrets'>,
  env: NodeJS.ProcessEnv,
  name: string,
): Promise<string> {
  const client = await clients.secrets(regionOf(name, env));
  const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const signal = new AbortController().signal;
  const { SecretString } = await askAws(`reading secret ${name}`, signal, (aborting) =>
    client.send(new GetSecretValueCommand({ SecretId: name }), aborting).catch((error: unknown) => {
      if (!isAwsError(error, 'ResourceNotFound')) throw error;
      throw unresolved(name, 'does not exist, or holds no value', 'correct the name or region');
    }),
  );
  if (SecretString !== undefined) return SecretString;
  throw unresolved(name, 'is binary', 'store it as text');
}

function regionOf(name: string, env: NodeJS.ProcessEnv): string {
  const ofArn = name.startsWith('arn:') ? name.split(':')[3] : undefined;
  const region = ofArn ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (region !== undefined && region !== '') return region;
  throw unresolved(
    name,
    'is in a region that nobody names',
    'set AWS_REGION on the worker, or write the ARN',
  );
}

/** A password's member is text; a port's may be a number. */
function pick(text: string, name: string, key: string): string {
  const value = memberOf(text, key);
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw unresolved(
    `${name}#${key}`,
    'has no such member',
    'write the name of a member of the secret’s JSON after the #',
  );
}

function memberOf(text: string, key: string): unknown {
  try {
    const whole: unknown = JSON.parse(text);
    return typeof whole === 'object' && whole !== null && Object.hasOwn(whole, key)
      ? (whole as Record<string, unknown>)[key]
      : undefined;
  } catch {
    return undefined;
  }
}

function unresolved(what: string, why: string, next: string): SkyferryFailure {
  return new SkyferryFailure('SECRET_UNRESOLVED', `AWS secret ${what} ${why}`, { next });
}
