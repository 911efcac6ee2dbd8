import type { Command } from 'commander';
import { temporalAddress, unreachable } from '../temporal.ts';

interface WorkerFlags {
  secrets?: string;
  commands?: string;
  switchDir: string[];
  metrics?: string;
}

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('Do the work of migrations: poll the task queue until stopped')
    .option(
      '--secrets <dir>',
      'where ${file:…} references are read',
      process.env['SKYFERRY_SECRETS'],
    )
    .option('--commands <file>', 'the programs that `command` switches may run')
    .option(
      '--switch-dir <dir>',
      'where files of `file` switches may lie; may be given again',
      (dir: string, before: string[]) => [...before, dir],
      [] as string[],
    )
    .option('--metrics <host:port>', 'serve Prometheus metrics there')
    .action(async ({ secrets, commands, switchDir, metrics }: WorkerFlags) => {
      const [{ runWorker }, { TransportError }] = await Promise.all([
        import('../../worker.ts'),
        import('@temporalio/worker'),
      ]);
      await runWorker({
        ...(secrets !== undefined && { secretsDirectory: secrets }),
        ...(commands !== undefined && { commandsFile: commands }),
        switchDirectories: switchDir,
        ...(metrics !== undefined && { metricsAddress: metrics }),
      }).catch(async (error: unknown) => {
        throw error instanceof TransportError ? unreachable(await temporalAddress()) : error;
      });
    });
}
