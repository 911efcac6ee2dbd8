import type { Command } from 'commander';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerRejectCutover(program: Command): void {
  messageCommand(program, 'reject-cutover', 'Withdraw an approval, or refuse to give one')
    .option('--reason <text>', 'kept in the report')
    .action(
      (named: string | undefined, options: { by: string; reason?: string }, command: Command) =>
        sendMessage(command, named, 'reject-cutover', { by: options.by, reason: options.reason }),
    );
}
