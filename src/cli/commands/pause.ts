import type { Command } from 'commander';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerPause(program: Command): void {
  messageCommand(
    program,
    'pause',
    'Stop what runs at a safe point; changes go on being applied while waiting',
  )
    .option('--reason <text>', 'kept in the report')
    .action(
      (named: string | undefined, options: { by: string; reason?: string }, command: Command) =>
        sendMessage(command, named, 'pause', { by: options.by, reason: options.reason }),
    );
}
