import type { Command } from 'commander';
import { messageCommand, sendMessage } from '../send-message.ts';

export function registerApprovePreparation(program: Command): void {
  register(
    program,
    'approve-preparation',
    'Approve what is made, changed or rebooted in clouds before the copy',
  );
}

export function registerApproveCutover(program: Command): void {
  register(program, 'approve-cutover', 'Approve the cutover of what the plan says');
}

function register(
  program: Command,
  message: 'approve-preparation' | 'approve-cutover',
  description: string,
): void {
  messageCommand(program, message, description)
    .option('--plan-hash <hash>', 'approve only this plan')
    .option('--note <text>', 'kept in the report')
    .action(
      (
        named: string | undefined,
        options: { by: string; planHash?: string; note?: string },
        command: Command,
      ) =>
        sendMessage(command, named, message, {
          by: options.by,
          planHash: options.planHash,
          note: options.note,
        }),
    );
}
