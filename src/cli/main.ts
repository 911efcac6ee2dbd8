#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { useNameServers } from '../mysql/name-resolution.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { printError } from './output.ts';
import { registerCommands } from './register.ts';

const program = new Command('skyferry')
  .description('Moves live MySQL databases with seconds of downtime and nothing lost')
  .version('0.1.0')
  .option('--json', 'print one JSON envelope on stdout')
  .showHelpAfterError('(add --help for what it takes)')
  .exitOverride();
registerCommands(program);

try {
  useNameServers(process.env['SKYFERRY_DNS_SERVERS']);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    printError(error, program.opts<{ json?: boolean }>().json === true);
    process.exitCode = exitCodeOf(error);
  }
}
