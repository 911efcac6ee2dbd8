import type { Command } from 'commander';
import { Option } from 'commander';
import { switchableEngines } from '../../workflows/messages.ts';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerSwitchEngine(program: Command): void {
  messageCommand(
    program,
    'switch-engine',
    'Take a parked migration up with another engine; what azure-dms has loaded is loaded anew',
  )
    .addOption(
      new Option('--to <engine>', 'which one').choices(switchableEngines).makeOptionMandatory(),
    )
    .option('--reason <text>', 'kept in the report')
    .action(
      (
        named: string | undefined,
        options: { by: string; to: string; reason?: string },
        command: Command,
      ) =>
        sendMessage(command, named, 'switch-engine', {
          by: options.by,
          engine: options.to,
          reason: options.reason,
        }),
    );
}
