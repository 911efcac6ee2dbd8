import type { Command } from 'commander';
import { loadConfigFile } from '../../config/load.ts';
import { serverName } from '../../config/located.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { MigrationInput } from '../../workflows/messages.ts';
import { TASK_QUEUE, workflowId } from '../../workflows/messages.ts';
import { withConfigOption } from '../config-option.ts';
import { note, out, printJson } from '../output.ts';
import type { MigrationReport } from '../../workflows/results.ts';
import type { Session } from '../temporal.ts';
import { connectTemporal, countWorkers, migrationHandle } from '../temporal.ts';

export function registerStart(program: Command): void {
  withConfigOption(program.command('start').description('Start a migration, or take one up again'))
    .option('--print-input', 'print the validated input of migrateDatabase and start nothing')
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<{
        config: string;
        printInput?: boolean;
        json?: boolean;
      }>();
      const config = await loadConfigFile(options.config);
      if (options.printInput === true) out(JSON.stringify(config, null, 2));
      else await start(config, options.json === true);
    });
}

async function start(config: MigrationConfig, json: boolean): Promise<void> {
  await using session = await connectTemporal();
  const { WorkflowExecutionAlreadyStartedError } = await import('@temporalio/client');
  const id = workflowId(config.name);
  await refuseCompleted(session, config.name);
  const handle = await session.client.workflow
    .start('migrateDatabase', {
      workflowId: id,
      taskQueue: TASK_QUEUE,
      args: [config satisfies MigrationInput],
      workflowIdConflictPolicy: 'FAIL',
      staticSummary:
        `${serverName(config.source)} → ${serverName(config.target)}: ${config.schemas.join(', ')}`.slice(
          0,
          200,
        ),
    })
    .catch((error: unknown) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw new SkyferryFailure('MIGRATION_CONFLICT', `${id} is running already`, {
        safe: 'it was not touched',
        next: `skyferry status ${config.name} --watch`,
      });
    });
  const follow = `skyferry status ${config.name} --watch`;
  if (json) {
    printJson({
      status: 'ok',
      data: { workflowId: id, runId: handle.firstExecutionRunId },
      next_steps: [follow],
    });
  } else {
    out(`started ${id} (run ${handle.firstExecutionRunId})`);
    note(`follow it: ${follow}`);
  }
  if ((await countWorkers(session, TASK_QUEUE)) === 0) {
    note(
      `No worker polls the task queue "${TASK_QUEUE}" yet: it waits until you start one: skyferry worker`,
    );
  }
}

/** The target refuses it too. But then the failed run would be the one that `report` shows from now on. */
async function refuseCompleted(session: Session, name: string): Promise<void> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  const handle = migrationHandle(session, name);
  const former = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  });
  if (former?.status.name !== 'COMPLETED') return;
  const { status } = (await handle.result()) as MigrationReport;
  if (status.phase !== 'completed') return;
  throw new SkyferryFailure('MIGRATION_CONFLICT', `migration/${name} is completed`, {
    safe: 'nothing was started',
    next: `skyferry report ${name} shows it; choose another name for a new migration`,
  });
}
