import type { Command } from 'commander';
import { loadConfigFile } from '../config/load.ts';

export const DEFAULT_CONFIG_FILE = 'skyferry.yaml';

export interface ConfigOption {
  config: string;
}

export function withConfigOption(command: Command): Command {
  return command.option('-c, --config <file>', 'the configuration', DEFAULT_CONFIG_FILE);
}

/** The migration that a command means: the one that is named, else the one of the configuration file. */
export async function migrationName(
  named: string | undefined,
  { config }: ConfigOption,
): Promise<string> {
  return named ?? (await loadConfigFile(config)).name;
}
