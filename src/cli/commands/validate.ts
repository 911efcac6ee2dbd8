import type { Command } from 'commander';
import { configHash } from '../../config/hash.ts';
import { loadConfigFile } from '../../config/load.ts';
import type { ConfigOption } from '../config-option.ts';
import { withConfigOption } from '../config-option.ts';
import { out, printJson } from '../output.ts';

export function registerValidate(program: Command): void {
  withConfigOption(
    program
      .command('validate')
      .description('Check a configuration file; connects to nothing')
      .argument('[file]', 'the same as --config'),
  ).action(async (named: string | undefined, _options: object, command: Command) => {
    const options = command.optsWithGlobals<ConfigOption & { json?: boolean }>();
    const file = named ?? options.config;
    const config = await loadConfigFile(file);
    if (options.json === true) {
      printJson({ status: 'ok', data: { name: config.name, configHash: configHash(config) } });
      return;
    }
    out(`${file} is valid: migration "${config.name}", schemas ${config.schemas.join(', ')}`);
  });
}
