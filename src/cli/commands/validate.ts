import type { Command } from 'commander';
import { configHash } from '../../config/hash.ts';
import { loadConfigFile } from '../../config/load.ts';
import { DEFAULT_CONFIG_FILE } from '../config-option.ts';
import { out, printJson } from '../output.ts';

export function registerValidate(program: Command): void {
  program
    .command('validate')
    .description('Check a configuration file; connects to nothing')
    .argument('[file]', 'the configuration', DEFAULT_CONFIG_FILE)
    .action(async (file: string, _options: object, command: Command) => {
      const config = await loadConfigFile(file);
      if (command.optsWithGlobals<{ json?: boolean }>().json === true) {
        printJson({ status: 'ok', data: { name: config.name, configHash: configHash(config) } });
        return;
      }
      out(`${file} is valid: migration "${config.name}", schemas ${config.schemas.join(', ')}`);
    });
}
