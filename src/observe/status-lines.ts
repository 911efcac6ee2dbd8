import pc from 'picocolors';
import type {
  ApplyProgress,
  CopyProgress,
  LiveProgress,
  MigrationStatus,
  Phase,
  VerifyProgress,
} from '../workflows/messages.ts';
import { isOver } from '../workflows/state.ts';
import type { LiveActivity } from './live-progress.ts';
import { preparationLines } from './preparation-lines.ts';
import { formatBytes, formatCount, formatDuration } from './numbers.ts';

export interface StatusSnapshot {
  readonly status: MigrationStatus;
  readonly activities: readonly LiveActivity[];
  /** The same some seconds earlier, where somebody watches: rates are taken from the difference. */
  readonly earlier?: readonly LiveActivity[];
  readonly workers: number;
  /** Somebody ended the workflow itself before it came to an end: TERMINATED, CANCELLED, … */
  readonly stopped?: string;
  readonly now: number;
}

/** The status as lines: for a terminal they are repainted, for a pipe printed once. */
export function statusLines(snapshot: StatusSnapshot): string[] {
  const { status, activities, workers, stopped } = snapshot;
  const at = status.parkedIn ?? status.phase;
  return [
    `${pc.bold(`migration/${status.name}`)}  ${phaseName(status)}  ${pc.dim(`since ${status.startedAt}${status.engine === undefined ? '' : `, engine ${status.engine}`}`)}`,
    ...pathLines(status, at),
    ...(stopped === undefined
      ? []
      : [pc.red(`The workflow was ended in Temporal (${stopped}): nothing goes on. The target stays as it is; a fence that was raised may still be there`)]), // prettier-ignore
    ...(workers === 0 && stopped === undefined && !isOver(status.phase)
      ? [pc.red('No worker polls: nothing goes on until one is started: skyferry worker')]
      : []),
    ...activities.flatMap((activity) => activityLines(activity, snapshot)),
    ...(status.preparation === undefined
      ? []
      : ['', ...preparationLines(status.preparation, snapshot.now)]),
    ...list('taken back by abort', status.undone ?? []),
    ...failureLines(status),
    ...list(
      'waits for',
      status.blockers.filter((line) => !isFailureLine(status, line)),
    ),
    ...list(
      'next',
      status.nextSteps.filter((step) => step !== status.failure?.next),
    ),
    ...factLines(status),
  ];
}

/** Three phases a line: a terminal of 80 columns shows them all. */
function pathLines(status: MigrationStatus, at: Phase): string[] {
  const marks = status.way.map((phase) => phaseMark(phase, at, status));
  const lines: string[] = [];
  for (let from = 0; from < marks.length; from += 3) {
    lines.push(marks.slice(from, from + 3).join(pc.dim(' › ')));
  }
  return lines;
}

/** The failure has lines of its own: it is not said again among what the migration waits for. */
function isFailureLine({ failure }: MigrationStatus, line: string): boolean {
  return failure !== undefined && line.endsWith(failure.message);
}

function factLines({ window, approval, rejection, ...status }: MigrationStatus): string[] {
  const facts: string[] = [];
  if (window !== undefined) {
    facts.push(
      `window ${window.opensAt} to ${window.closesAt}${window.open ? pc.green(' (open)') : ''}`,
    );
  }
  if (approval !== undefined) {
    facts.push(`approved by ${approval.by} at ${approval.at}, until ${approval.expiresAt}`);
  }
  if (rejection !== undefined) {
    facts.push(
      `rejected by ${rejection.by} at ${rejection.at}${rejection.reason === undefined ? '' : `: ${rejection.reason}`}`,
    );
  }
  if (status.switchedAt !== undefined) facts.push(`switched ${status.switchedAt}`);
  if (status.unfenceCommand !== undefined) {
    facts.push(`the source is fenced; to lift it by hand: ${status.unfenceCommand}`);
  }
  return facts.length === 0 ? [] : ['', ...facts];
}

function phaseName({ phase, parkedIn, paused }: MigrationStatus): string {
  const name = parkedIn === undefined ? phase : `${phase} in ${parkedIn}`;
  const coloured =
    phase === 'completed'
      ? pc.green(name)
      : parkedIn === undefined
        ? pc.cyan(name)
        : pc.yellow(name);
  return paused ? `${coloured} ${pc.yellow('(paused)')}` : coloured;
}

function phaseMark(phase: Phase, current: Phase, { history }: MigrationStatus): string {
  const record = history.findLast((entry) => entry.phase === phase);
  if (phase === current && phase !== 'completed') return pc.cyan(`● ${phase}`);
  if (record?.endedAt === undefined) return pc.dim(`○ ${phase}`);
  if (phase === 'completed') return `${pc.green('✓')} ${phase}`;
  const took = Date.parse(record.endedAt) - Date.parse(record.startedAt);
  return `${pc.green('✓')} ${phase} ${pc.dim(formatDuration(took))}`;
}

function activityLines(activity: LiveActivity, snapshot: StatusSnapshot): string[] {
  const { progress, failure, type, attempt } = activity;
  const why = failure === undefined ? [] : [`  ${pc.yellow(`tried again after ${failure}`)}`];
  if (progress !== undefined) return ['', ...progressLines(activity, progress, snapshot), ...why];
  return failure === undefined ? [] : ['', `${pc.bold(type)} (attempt ${attempt})`, ...why];
}

function progressLines(
  activity: LiveActivity,
  progress: LiveProgress,
  { now, earlier = [] }: StatusSnapshot,
): string[] {
  const { attempt } = activity;
  const before = earlier.find(
    ({ type, startedAt }) => type === activity.type && startedAt === activity.startedAt,
  );
  const since = startOf(activity, before?.progress);
  const again = attempt > 1 ? pc.yellow(` (attempt ${attempt})`) : '';
  const age = pc.dim(` ${formatDuration(Math.max(0, now - Date.parse(progress.at)))} ago`);
  return [
    `${pc.bold(progress.activity)}${again}${progress.step === undefined ? '' : `: ${progress.step}`}${age}`,
    ...(progress.copy === undefined ? [] : copyLines(progress.copy, speed(progress, since))),
    ...(progress.apply === undefined ? [] : applyLines(progress.apply)),
    ...(progress.verify === undefined ? [] : verifyLines(progress.verify, speed(progress, since))),
  ];
}

const LISTED_TABLES = 12;

interface Start {
  readonly at: string;
  readonly rows: number;
}

/**
 * From where a rate is measured: what was seen earlier, else the activity's beginning. A later attempt
 * counts rows that it did not copy, so that its beginning says nothing.
 */
function startOf(
  { attempt, startedAt }: LiveActivity,
  seen: LiveProgress | undefined,
): Start | undefined {
  const counted = seen?.copy ?? seen?.verify;
  if (seen !== undefined && counted !== undefined) return { at: seen.at, rows: counted.rows };
  return attempt === 1 && startedAt !== undefined ? { at: startedAt, rows: 0 } : undefined;
}

/** Rows a second, and how long the rest takes at that rate: a guess, as the number of rows is one. */
function speed(progress: LiveProgress, since: Start | undefined): string {
  const counted = progress.copy ?? progress.verify;
  if (counted === undefined || since === undefined) return '';
  const seconds = (Date.parse(progress.at) - Date.parse(since.at)) / 1000;
  const perSecond = (counted.rows - since.rows) / seconds;
  if (seconds < 1 || perSecond <= 0) return '';
  const left = counted.estimatedRows - counted.rows;
  const eta = left > 0 ? `, ETA ~${formatDuration((left / perSecond) * 1000)}` : '';
  return `; ${formatCount(perSecond)} rows/s${eta}`;
}

function copyLines(copy: CopyProgress, rate: string): string[] {
  const running = copy.tables.filter((table) => !table.done && table.rows > 0);
  const done = copy.tables.filter((table) => table.done).length;
  return [
    `  ${bar(copy.rows, copy.estimatedRows)} ${formatCount(copy.rows)} of ~${formatCount(copy.estimatedRows)} rows${rate}; ${formatBytes(copy.bytes)}; chunks ${copy.chunksDone}/${copy.chunksTotal}; tables ${done}/${copy.tables.length}`,
    ...(copy.engine === undefined ? [] : [`  ${copy.engine}`]),
    ...running
      .slice(0, LISTED_TABLES)
      .map(
        (table) =>
          `    ${bar(table.rows, table.estimatedRows)} ${table.table}  ${formatCount(table.rows)} of ~${formatCount(table.estimatedRows)} rows`,
      ),
    ...(running.length > LISTED_TABLES ? [`    … and ${running.length - LISTED_TABLES} more`] : []),
  ];
}

function applyLines(apply: ApplyProgress): string[] {
  // Another engine does not count them.
  const rows = apply.engine === undefined ? `, ${formatCount(apply.rowChanges)} row changes` : '';
  return [
    `  lag ${formatDuration(apply.lagMs)}; ${formatCount(apply.transactions)} transactions${rows}; at ${apply.position.file}:${apply.position.offset}`,
    ...(apply.engine === undefined ? [] : [`  ${apply.engine}`]),
  ];
}

function verifyLines(verify: VerifyProgress, rate: string): string[] {
  return [
    `  ${bar(verify.rows, verify.estimatedRows)} ${formatCount(verify.rows)} of ~${formatCount(verify.estimatedRows)} rows${rate}; tables ${verify.tablesDone}/${verify.tables}; differing ${verify.differing}, being compared again ${verify.rechecking}`,
  ];
}

function bar(done: number, estimate: number): string {
  const WIDTH = 24;
  const share = estimate > 0 ? Math.min(1, done / estimate) : 0;
  const filled = Math.round(share * WIDTH);
  return pc.green('█'.repeat(filled)) + pc.dim('░'.repeat(WIDTH - filled));
}

/** What stopped it, what is safe, what next. */
export function failureLines({ failure, phase }: MigrationStatus): string[] {
  if (failure === undefined) return [];
  const what = `${pc.red(failure.code)}: ${failure.message}`;
  // Why it was aborted, perhaps; nothing is to be done about it any more.
  if (phase === 'aborted') return ['', what];
  return [
    '',
    what,
    ...(failure.safe === undefined ? [] : [`  ${pc.bold('safe:')} ${failure.safe}`]),
    ...(failure.next === undefined ? [] : [`  ${pc.bold('next:')} ${failure.next}`]),
  ];
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', pc.bold(title), ...items.map((item) => `  ${item}`)];
}
