import type { Command } from 'commander';
import { configJsonSchema } from '../../config/json-schema.ts';
import { out } from '../output.ts';

export function registerSchema(program: Command): void {
  program
    .command('schema')
    .description('Print the JSON Schema of skyferry.yaml, for editors')
    .action(() => out(JSON.stringify(configJsonSchema(), null, 2)));
}
