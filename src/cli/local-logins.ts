import type { Command } from 'commander';
import { createAwsClients } from '../clouds/aws/clients.ts';
import { createAzureClients } from '../clouds/azure/clients.ts';
import { loadConfigFile } from '../config/load.ts';
import { resolveEndpoint } from '../config/endpoints.ts';
import type { Logins } from '../config/logins.ts';
import { resolveLogins } from '../config/logins.ts';
import type { LocatedConfig } from '../config/located.ts';
import { locateWritten, withAddresses } from '../config/located.ts';
import type { MigrationConfig } from '../config/schema.ts';
import { SkyferryFailure } from '../failures.ts';
import { createSecretResolver } from '../config/secrets.ts';
import { surveyClouds } from '../prepare/survey-clouds.ts';
import { isInClouds } from '../workflows/messages.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { CloudPlan } from '../prepare/act.ts';
import { withConfigOption } from './config-option.ts';

export interface LocalOptions {
  config: string;
  secrets?: string;
  json?: boolean;
}

/** For commands that look at the servers themselves, from this machine, without Temporal. */
export function withLocalLogins(command: Command): Command {
  return withConfigOption(command).option(
    '--secrets <dir>',
    'where ${file:…} references are read',
    process.env['SKYFERRY_SECRETS'],
  );
}

/** Throws CONFIG_INVALID while a server is still to be made in its cloud. */
export async function localLogins(
  options: LocalOptions,
): Promise<{ config: LocatedConfig; logins: Logins }> {
  const { config, clouds, logins } = await lookLocally(options, new AbortController().signal);
  if (config !== null && logins !== null) return { config, logins };
  const missing = clouds?.target.address === null ? 'target' : 'source';
  throw new SkyferryFailure('CONFIG_INVALID', `the ${missing} is not there yet`, {
    next: 'skyferry plan shows what will be made; skyferry start begins',
  });
}

export interface LocalLook {
  readonly given: MigrationConfig;
  /** Null when both servers are simply there. */
  readonly clouds: CloudPlan | null;
  /** Null while a server is still to be made, or cannot be used as it is. */
  readonly config: LocatedConfig | null;
  readonly logins: Logins | null;
  /** Null while nobody knows where it is. */
  readonly source: Endpoint | null;
}

/** As the worker looks at both servers first. Changes nothing. */
export async function lookLocally(
  { config: file, secrets: secretsDirectory }: LocalOptions,
  signal: AbortSignal,
): Promise<LocalLook> {
  const given = await loadConfigFile(file);
  const { env } = process;
  const aws = createAwsClients({ env });
  const secrets = createSecretResolver({ secretsDirectory, env, aws });
  const clouds = isInClouds(given)
    ? await surveyClouds(
        { config: given, aws, azure: createAzureClients({ env }), secrets, now: () => new Date() },
        { signal },
      )
    : null;
  const config = clouds === null ? locateWritten(given) : locate(given, clouds);
  const address = config?.source ?? clouds?.source.address ?? null;
  return {
    given,
    clouds,
    config,
    logins: config === null ? null : await resolveLogins(config, secrets),
    source:
      address === null
        ? null
        : await resolveEndpoint(
            { ...given.source, host: address.host, port: address.port },
            secrets,
          ),
  };
}

function locate(config: MigrationConfig, { source, target }: CloudPlan): LocatedConfig | null {
  if (source.address === null || target.address === null) return null;
  return withAddresses(config, { source: source.address, target: target.address });
}

/** Ctrl-C ends what a local command does; there is nothing to detach from. */
export async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => controller.abort(new Error('interrupted'));
  process.once('SIGINT', onInterrupt);
  try {
    return await run(controller.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
