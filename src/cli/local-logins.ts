import type { Command } from 'commander';
import { loadConfigFile } from '../config/load.ts';
import type { Logins } from '../config/logins.ts';
import { resolveLogins } from '../config/logins.ts';
import type { LocatedConfig } from '../config/located.ts';
import { locateWritten } from '../config/located.ts';
import { SkyferryFailure } from '../failures.ts';
import { createSecretResolver } from '../config/secrets.ts';
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

export async function localLogins({
  config: file,
  secrets,
}: LocalOptions): Promise<{ config: LocatedConfig; logins: Logins }> {
  const config = locateWritten(await loadConfigFile(file));
  if (config === null) {
    throw new SkyferryFailure(
      'CONFIG_INVALID',
      'the servers are in clouds, which are not asked yet',
    );
  }
  const resolver = createSecretResolver({ secretsDirectory: secrets, env: process.env });
  return { config, logins: await resolveLogins(config, resolver) };
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
