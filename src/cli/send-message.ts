import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { SkyferryFailure } from '../failures.ts';
import type { MessageName } from '../workflows/messages.ts';
import { migrationName, withConfigOption } from './config-option.ts';
import { out, printJson } from './output.ts';
import { connectTemporal, countWorkers, migrationHandle, TemporalUnreachable } from './temporal.ts';

const UPDATE_DEADLINE_MS = 15_000;

/** A command that sends one person's message: declared like any other, run by `sendMessage`. */
export function messageCommand(program: Command, name: string, description: string): Command {
  return withConfigOption(program.command(name).description(description))
    .argument('[migration]', 'its name; by default that of the configuration file')
    .option('--by <person>', 'who decides', userInfo().username);
}

/** Sends it as an update, so that a refusal is this command's answer and not a line in the status. */
export async function sendMessage(
  command: Command,
  named: string | undefined,
  message: MessageName,
  payload: Record<string, unknown>,
): Promise<void> {
  const options = command.optsWithGlobals<{ config: string; json?: boolean }>();
  const name = await migrationName(named, options);
  await using session = await connectTemporal();
  const handle = migrationHandle(session, name);
  try {
    await session.client.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () =>
      handle.executeUpdate(message, { args: [payload] }),
    );
  } catch (error) {
    throw await explain(error, name, message, () => countWorkers(session));
  }
  if (options.json === true) printJson({ status: 'ok', data: { migration: name, message } });
  else out(`${message}: accepted by migration/${name}`);
}

async function explain(
  error: unknown,
  name: string,
  message: string,
  workers: () => Promise<number>,
): Promise<unknown> {
  const { WorkflowNotFoundError, WorkflowUpdateFailedError } = await import('@temporalio/client');
  if (error instanceof WorkflowNotFoundError) {
    return new SkyferryFailure('MIGRATION_CONFLICT', `No migration/${name} is running`, {
      next: `skyferry status ${name}`,
    });
  }
  if (error instanceof WorkflowUpdateFailedError) {
    return new SkyferryFailure(
      'MIGRATION_CONFLICT',
      `${message} was refused: ${error.cause?.message ?? error.message}`,
      {
        safe: 'nothing was changed',
        next: `skyferry status ${name}`,
      },
    );
  }
  if ((await workers()) === 0) {
    return new TemporalUnreachable(
      `No worker took ${message}: none polls`,
      'skyferry worker',
      'NO_WORKER',
    );
  }
  return error;
}
