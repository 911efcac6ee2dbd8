import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { LiveActivity } from '../../observe/live-progress.ts';
import { liveActivities } from '../../observe/live-progress.ts';
import { Repainter } from '../../observe/repaint.ts';
import type { StatusSnapshot } from '../../observe/status-lines.ts';
import { statusLines } from '../../observe/status-lines.ts';
import { isOver } from '../../workflows/state.ts';
import { migrationName, withConfigOption } from '../config-option.ts';
import { exitCodeOfStatus, exitCodes, isWaiting } from '../exit-codes.ts';
import { note, out, printJson } from '../output.ts';
import type { Session } from '../temporal.ts';
import {
  askForStatus,
  connectTemporal,
  countWorkers,
  describeMigration,
  TemporalUnreachable,
} from '../temporal.ts';

const REPAINT_MS = 1000;
/** Rates are those of so many pictures. */
const RATE_PICTURES = 30;

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
      process.exitCode = hasFailed(last) ? exitCodes.error : exitCodeOfStatus(last.status);
    });
}

async function show(session: Session, name: string, json: boolean): Promise<StatusSnapshot> {
  const snapshot = await takeSnapshot(session, name);
  const { status, activities, workers, stopped } = snapshot;
  if (json) {
    printJson({
      status: hasFailed(snapshot) ? 'error' : isWaiting(status) ? 'waiting' : 'ok',
      data: { status, activities, workers, stopped },
      next_steps: status.nextSteps,
    });
  } else {
    for (const line of statusLines(snapshot)) out(line);
  }
  return snapshot;
}

const hasFailed = ({ status, stopped }: StatusSnapshot): boolean =>
  stopped !== undefined || status.phase === 'failed';

/** A live picture on a terminal, one line for each change in a pipe. Ctrl-C leaves the migration running. */
async function watch(session: Session, name: string): Promise<StatusSnapshot> {
  const detached = new AbortController();
  const onInterrupt = () => detached.abort();
  process.once('SIGINT', onInterrupt);
  const painter = process.stdout.isTTY ? new Repainter(process.stdout) : undefined;
  const seen: (readonly LiveActivity[])[] = [];
  let printed = '';
  try {
    for (;;) {
      const picture = await takePicture(session, name, seen[0]);
      if (painter !== undefined) {
        painter.paint(picture.lines);
      } else {
        if (picture.line !== printed) out(`${new Date().toISOString()} ${picture.line}`);
        printed = picture.line;
      }
      if (picture.snapshot !== undefined) {
        const { status, activities, stopped } = picture.snapshot;
        if (isOver(status.phase) || stopped !== undefined) return picture.snapshot;
        seen.push(activities);
        if (seen.length > RATE_PICTURES) seen.shift();
      }
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

interface Picture {
  readonly lines: readonly string[];
  readonly line: string;
  /** undefined: nobody answered, which a worker that starts again soon puts right. */
  readonly snapshot?: StatusSnapshot;
}

async function takePicture(
  session: Session,
  name: string,
  earlier: readonly LiveActivity[] = [],
): Promise<Picture> {
  try {
    const snapshot = { ...(await takeSnapshot(session, name)), earlier };
    return { lines: statusLines(snapshot), line: plainLine(snapshot), snapshot };
  } catch (error) {
    if (!(error instanceof TemporalUnreachable) || error.code !== 'NO_WORKER') throw error;
    const { status, searchAttributes } = await describeMigration(session, name);
    // It has ended: nothing changes any more, and only a worker could say how.
    if (status.name !== 'RUNNING') throw error;
    const [phase = 'running'] = searchAttributes['SkyferryPhase'] ?? [];
    return {
      lines: [
        `${pc.bold(`migration/${name}`)}  ${pc.cyan(String(phase))}`,
        pc.red(error.message),
        `  ${pc.bold('next:')} ${error.next}`,
      ],
      line: `phase=${String(phase)} no answer: ${error.message}`,
    };
  }
}

async function takeSnapshot(session: Session, name: string): Promise<StatusSnapshot> {
  const description = await describeMigration(session, name);
  const [status, workers] = await Promise.all([
    askForStatus(session, name, description),
    countWorkers(session, description.taskQueue),
  ]);
  const execution = description.status.name;
  const snapshot = { activities: liveActivities(description), workers, now: Date.now() };
  if (execution === 'RUNNING' || isOver(status.phase)) return { ...snapshot, status };
  return {
    ...snapshot,
    stopped: execution,
    status: { ...status, blockers: [], nextSteps: ['skyferry start takes it up again, from its checkpoint'] }, // prettier-ignore
  };
}

function plainLine({ status, activities, stopped }: StatusSnapshot): string {
  const live = activities.find(({ progress }) => progress !== undefined)?.progress;
  const copy = live?.copy;
  const apply = live?.apply;
  return [
    `phase=${status.phase}`,
    ...(status.parkedIn === undefined ? [] : [`parked-in=${status.parkedIn}`]),
    ...(status.paused ? ['paused'] : []),
    ...(stopped === undefined ? [] : [`stopped=${stopped}`]),
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
