import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { configJsonSchema } from '../../config/json-schema.ts';
import { configTemplate, SCHEMA_FILE } from '../../config/template.ts';
import { SkyferryFailure } from '../../failures.ts';
import { DEFAULT_CONFIG_FILE } from '../config-option.ts';
import { note, out } from '../output.ts';

export function registerInit(program: Command): void {
  program
    .command('init')
    .description('Write a commented skyferry.yaml, and its schema for editors')
    .argument('[file]', 'where to', DEFAULT_CONFIG_FILE)
    .action(async (file: string) => {
      await writeNew(file, configTemplate);
      await writeFile(SCHEMA_FILE, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
      out(file);
      note(`Fill it in, then: skyferry validate ${file} && skyferry doctor -c ${file}`);
    });
}

async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'is there already' : `cannot be written (${error.code})`;
    throw new SkyferryFailure('CONFIG_INVALID', `${file} ${why}`, {
      safe: 'it was not touched',
      next: 'name another file: skyferry init FILE',
    });
  });
}
