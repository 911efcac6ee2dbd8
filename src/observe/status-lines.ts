import pc from 'picocolors';
import type {
  ApplyProgress,
  CopyProgress,
  LiveProgress,
  MigrationStatus,
  Phase,
  VerifyProgress,
} from '../workflows/messages.ts';
import type { LiveActivity } from './live-progress.ts';
import { formatBytes, formatCount, formatDuration } from './numbers.ts';

/** The way that a migration takes when nothing goes wrong. */
const path: readonly Phase[] = [
  'preflight',
  'provisioning',
  'full-load',
  'catching-up',
  'verifying',
  'awaiting-window',
  'awaiting-approval',
  'cutting-over',
  'completed',
];

export interface StatusSnapshot {
  readonly status: MigrationStatus;
  readonly activities: readonly LiveActivity[];
  readonly workers: number;
  readonly now: number;
}

/** The status as lines: for a terminal they are repainted, for a pipe printed once. */
export function statusLines({ status, activities, workers, now }: StatusSnapshot): string[] {
  const at = status.parkedIn ?? status.phase;
  return [
    `${pc.bold(`migration/${status.name}`)}  ${phaseName(status)}  ${pc.dim(`since ${status.startedAt}`)}`,
    path.map((phase) => phaseMark(phase, at, status)).join(pc.dim(' › ')),
    ...(workers === 0
      ? [pc.red('No worker polls: nothing goes on until one is started: skyferry worker')]
      : []),
    ...activities.flatMap(({ progress, attempt }) =>
      progress === undefined ? [] : ['', ...progressLines(progress, attempt, now)],
    ),
    ...failureLines(status),
    ...list('waits for', status.blockers),
    ...list('next', status.nextSteps),
  ];
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
  if (phase === current) return pc.cyan(`● ${phase}`);
  if (record?.endedAt === undefined) return pc.dim(`○ ${phase}`);
  const took = Date.parse(record.endedAt) - Date.parse(record.startedAt);
  return `${pc.green('✓')} ${phase} ${pc.dim(formatDuration(took))}`;
}

function progressLines(progress: LiveProgress, attempt: number, now: number): string[] {
  const again = attempt > 1 ? pc.yellow(` (attempt ${attempt})`) : '';
  const age = pc.dim(` ${formatDuration(Math.max(0, now - Date.parse(progress.at)))} ago`);
  return [
    `${pc.bold(progress.activity)}${again}${progress.step === undefined ? '' : `: ${progress.step}`}${age}`,
    ...(progress.copy === undefined ? [] : copyLines(progress.copy)),
    ...(progress.apply === undefined ? [] : applyLines(progress.apply)),
    ...(progress.verify === undefined ? [] : verifyLines(progress.verify)),
  ];
}

const LISTED_TABLES = 12;

function copyLines(copy: CopyProgress): string[] {
  const running = copy.tables.filter((table) => !table.done && table.rows > 0);
  const done = copy.tables.filter((table) => table.done).length;
  return [
    `  ${bar(copy.rows, copy.estimatedRows)} ${formatCount(copy.rows)} of ~${formatCount(copy.estimatedRows)} rows, ${formatBytes(copy.bytes)}; chunks ${copy.chunksDone}/${copy.chunksTotal}; tables ${done}/${copy.tables.length}`,
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
  return [
    `  lag ${formatDuration(apply.lagMs)}; ${formatCount(apply.transactions)} transactions, ${formatCount(apply.rowChanges)} row changes; at ${apply.position.file}:${apply.position.offset}`,
  ];
}

function verifyLines(verify: VerifyProgress): string[] {
  return [
    `  ${bar(verify.rows, verify.estimatedRows)} ${formatCount(verify.rows)} of ~${formatCount(verify.estimatedRows)} rows; tables ${verify.tablesDone}/${verify.tables}; differing ${verify.differing}, being compared again ${verify.rechecking}`,
  ];
}

function bar(done: number, estimate: number): string {
  const WIDTH = 24;
  const share = estimate > 0 ? Math.min(1, done / estimate) : 0;
  const filled = Math.round(share * WIDTH);
  return pc.green('█'.repeat(filled)) + pc.dim('░'.repeat(WIDTH - filled));
}

function failureLines({ failure }: MigrationStatus): string[] {
  if (failure === undefined) return [];
  return [
    '',
    `${pc.red(failure.code)}: ${failure.message}`,
    ...(failure.safe === undefined ? [] : [`  ${pc.bold('safe:')} ${failure.safe}`]),
    ...(failure.next === undefined ? [] : [`  ${pc.bold('next:')} ${failure.next}`]),
  ];
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', pc.bold(title), ...items.map((item) => `  ${item}`)];
}
