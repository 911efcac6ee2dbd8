import type { Command } from 'commander';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerResume(program: Command): void {
  messageCommand(program, 'resume', 'Go on after a pause').action(
    (named: string | undefined, options: { by: string }, command: Command) =>
      sendMessage(command, named, 'resume', { by: options.by }),
  );
}
