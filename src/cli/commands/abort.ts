import type { Command } from 'commander';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerAbort(program: Command): void {
  messageCommand(program, 'abort', 'End the migration before its switch; the source is as it was')
    .option('--reason <text>', 'kept in the report')
    .option(
      '--drop-target <migration>',
      'drop the copied tables too: type the name of the migration',
    )
    .option(
      '--delete-created',
      'remove what the migration created in clouds; else it is listed only',
    )
    .action(
      (
        named: string | undefined,
        options: { by: string; reason?: string; dropTarget?: string; deleteCreated?: boolean },
        command: Command,
      ) =>
        sendMessage(command, named, 'abort', {
          by: options.by,
          reason: options.reason,
          dropTarget: options.dropTarget,
          deleteCreated: options.deleteCreated,
        }),
    );
}
