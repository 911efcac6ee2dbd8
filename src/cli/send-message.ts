import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { SkyferryFailure } from '../failures.ts';
import type { MessageName } from '../workflows/messages.ts';
import { migrationName, withConfigOption } from './config-option.ts';
import { out, printJson } from './output.ts';
import {
  connectTemporal,
  countWorkers,
  describeMigration,
  isUnanswered,
  migrationHandle,
  TemporalUnreachable,
} from './temporal.ts';

const UPDATE_DEADLINE_MS = 15_000;

/** A command that sends one person's message: declared like any other, run by `sendMessage`. */
export function messageCommand(program: Command, name: string, description: string): Command {
  return withConfigOption(program.command(name).description(description))
    .argument('[migration]', 'its name; by default that of the configuration file')
    .option('--by <person>', 'who decides', currentUser());
}

/** A container may run under a number that has no name. */
function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? `uid ${process.getuid?.() ?? '?'}`;
  }
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
  const { status, taskQueue } = await describeMigration(session, name);
  if (status.name !== 'RUNNING') throw notRunning(name);
  // Temporal keeps an update that nobody takes: it would be taken whenever a worker starts.
  if ((await countWorkers(session, taskQueue)) === 0) throw noWorker(message);
  try {
    await session.client.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () =>
      migrationHandle(session, name).executeUpdate(message, { args: [payload] }),
    );
  } catch (error) {
    throw await explain(error, name, message);
  }
  if (options.json === true) printJson({ status: 'ok', data: { migration: name, message } });
  else out(`${message}: accepted by migration/${name}`);
}

function noWorker(message: string): TemporalUnreachable {
  return new TemporalUnreachable(
    `No worker polls, so nobody would take ${message}: it was not sent`,
    'start one (skyferry worker), then say it again',
    'NO_WORKER',
  );
}

async function explain(error: unknown, name: string, message: string): Promise<unknown> {
  const {
    WorkflowNotFoundError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
  } = await import('@temporalio/client');
  if (error instanceof WorkflowNotFoundError) return notRunning(name);
  if (error instanceof WorkflowUpdateFailedError) {
    return new SkyferryFailure(
      'MIGRATION_CONFLICT',
      `${message} was refused: ${error.cause?.message ?? error.message}`,
      { safe: 'nothing was changed', next: `skyferry status ${name}` },
    );
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isUnanswered(error)) {
    return new TemporalUnreachable(
      `${message} was sent, and no worker has answered within ${UPDATE_DEADLINE_MS / 1000} s: it may still be taken`,
      `skyferry status ${name} shows whether it was; see that a worker runs (skyferry worker)`,
      'NO_WORKER',
    );
  }
  return error;
}

function notRunning(name: string): SkyferryFailure {
  return new SkyferryFailure('MIGRATION_CONFLICT', `No migration/${name} is running`, {
    next: `skyferry status ${name}`,
  });
}
