import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { readLiveActivities } from '../../observe/live-progress.ts';
import { Repainter } from '../../observe/repaint.ts';
import type { StatusSnapshot } from '../../observe/status-lines.ts';
import { statusLines } from '../../observe/status-lines.ts';
import type { MigrationStatus, Phase } from '../../workflows/messages.ts';
import { migrationName, withConfigOption } from '../config-option.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, out, printJson } from '../output.ts';
import type { Session } from '../temporal.ts';
import { connectTemporal, countWorkers, migrationHandle, queryMigration } from '../temporal.ts';

const REPAINT_MS = 1000;
const ended: ReadonlySet<Phase> = new Set(['completed', 'aborted', 'failed']);
const waiting: ReadonlySet<Phase> = new Set(['awaiting-approval', 'awaiting-window', 'parked']);

export function registerStatus(program: Command): void {
  withConfigOption(program.command('status').description('Show where a migration is'))
    .argument('[migration]', 'its name; by default that of the configuration file')
    .option('-w, --watch', 'go on showing it until it ends; Ctrl-C detaches')
    .action(async (named: string | undefined, _options: object, command: Command) => {
      const options = command.optsWithGlobals<{
        config: string;
        watch?: boolean;
        json?: boolean;
      }>();
      const name = await migrationName(named, options);
      await using session = await connectTemporal();
      const last =
        options.watch === true
          ? await watch(session, name)
          : await show(session, name, options.json === true);
      process.exitCode = exitCodeOfPhase(last);
    });
}

async function show(session: Session, name: string, json: boolean): Promise<Phase> {
  const snapshot = await takeSnapshot(session, name);
  const { status, activities, workers } = snapshot;
  if (json) {
    printJson({
      status: waiting.has(status.phase) ? 'waiting' : 'ok',
      data: { status, activities, workers },
      next_steps: status.nextSteps,
    });
  } else {
    for (const line of statusLines(snapshot)) out(line);
  }
  return status.phase;
}

/** A live picture on a terminal, one line for each change in a pipe. Ctrl-C leaves the migration running. */
export async function watch(session: Session, name: string): Promise<Phase> {
  const detached = new AbortController();
  const onInterrupt = () => detached.abort();
  process.once('SIGINT', onInterrupt);
  const painter = process.stdout.isTTY ? new Repainter(process.stdout) : undefined;
  let printed = '';
  try {
    for (;;) {
      const snapshot = await takeSnapshot(session, name);
      if (painter !== undefined) {
        painter.paint(statusLines(snapshot));
      } else {
        const line = plainLine(snapshot);
        if (line !== printed) out(`${new Date(snapshot.now).toISOString()} ${line}`);
        printed = line;
      }
      if (ended.has(snapshot.status.phase)) return snapshot.status.phase;
      await sleep(REPAINT_MS, undefined, { signal: detached.signal });
    }
  } catch (error) {
    if (!detached.signal.aborted) throw error;
    note(`Detached; the migration goes on. Attach again: skyferry status ${name} --watch`);
    process.exit(exitCodes.detached);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

export async function takeSnapshot(session: Session, name: string): Promise<StatusSnapshot> {
  const [status, activities, workers] = await Promise.all([
    queryMigration<MigrationStatus>(session, name, 'status'),
    readLiveActivities(migrationHandle(session, name)),
    countWorkers(session),
  ]);
  return { status, activities, workers, now: Date.now() };
}

function plainLine({ status, activities }: StatusSnapshot): string {
  const live = activities.find(({ progress }) => progress !== undefined)?.progress;
  const copy = live?.copy;
  const apply = live?.apply;
  return [
    `phase=${status.phase}`,
    ...(status.parkedIn === undefined ? [] : [`parked-in=${status.parkedIn}`]),
    ...(status.paused ? ['paused'] : []),
    ...(copy === undefined
      ? []
      : [
          `rows=${copy.rows}/~${copy.estimatedRows}`,
          `chunks=${copy.chunksDone}/${copy.chunksTotal}`,
        ]),
    ...(apply === undefined
      ? []
      : [`lag-ms=${Math.round(apply.lagMs)}`, `changes=${apply.rowChanges}`]),
    ...(status.failure === undefined ? [] : [`failure=${status.failure.code}`]),
  ].join(' ');
}

function exitCodeOfPhase(phase: Phase): number {
  if (phase === 'failed') return exitCodes.error;
  if (phase === 'rolled-back') return exitCodes.rolledBack;
  return waiting.has(phase) ? exitCodes.waitingForPerson : exitCodes.ok;
}
