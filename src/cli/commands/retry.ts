import type { Command } from 'commander';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerRetry(program: Command): void {
  messageCommand(program, 'retry', 'Take a parked phase up again').action(
    (named: string | undefined, options: { by: string }, command: Command) =>
      sendMessage(command, named, 'retry-phase', { by: options.by }),
  );
}
