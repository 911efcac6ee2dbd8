import type { Command } from 'commander';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerApproveCutover(program: Command): void {
  messageCommand(program, 'approve-cutover', 'Approve the cutover of what the plan says')
    .option('--plan-hash <hash>', 'approve only this plan')
    .option('--note <text>', 'kept in the report')
    .action(
      (
        named: string | undefined,
        options: { by: string; planHash?: string; note?: string },
        command: Command,
      ) =>
        sendMessage(command, named, 'approve-cutover', {
          by: options.by,
          planHash: options.planHash,
          note: options.note,
        }),
    );
}
