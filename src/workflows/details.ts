import type { MigrationStatus, Phase, PreparationStatus } from './messages.ts';

/** Markdown for the Current Details of Temporal's UI. The server takes 20 kB. */
export function describeDetails(status: MigrationStatus, now: string): string {
  const at = status.phase === 'parked' ? status.parkedIn : status.phase;
  const lines = [
    `### ${status.name}: ${status.phase}${status.paused ? ' (paused)' : ''}${status.engine === undefined ? '' : `, engine ${status.engine}`}`,
    `_as of ${now}; live numbers: \`skyferry status ${status.name} --watch\`_`,
    '',
    ...status.way.map((phase) => checklistLine(phase, status, at)),
    '',
    ...section('Clouds', (status.preparation?.acts ?? []).map(actLine)),
    ...section('Costs money now', (status.preparation?.running ?? []).map(runningLine)),
    ...section('Holds it back', status.blockers.map(plain)),
    ...section(
      'Do next',
      status.nextSteps.map((step) => (step === status.failure?.next ? plain(step) : code(step))),
    ),
    ...(status.lagMs === undefined ? [] : [`Lag at last look: ${seconds(status.lagMs)}`, '']),
    ...(status.window === undefined
      ? []
      : [`Window: ${status.window.opensAt} to ${status.window.closesAt}`, '']),
    ...(status.approval === undefined
      ? []
      : [`Approved by ${plain(status.approval.by)}, until ${status.approval.expiresAt}`, '']),
    ...(status.unfenceCommand === undefined
      ? []
      : ['The source is fenced. To lift it by hand:', code(status.unfenceCommand), '']),
    ...section(
      'Done, latest first',
      status.milestones
        .slice(-8)
        .toReversed()
        .map(({ at: when, text }) => `${when} ${plain(text)}`),
    ),
  ];
  return lines.join('\n').slice(0, 19_000);
}

function checklistLine(phase: Phase, status: MigrationStatus, at: Phase | undefined): string {
  const last = status.history.findLast((record) => record.phase === phase);
  if (phase === at && phase !== 'completed') return `- [ ] **${phase}**`;
  const over = last !== undefined && (last.endedAt !== undefined || phase === 'completed');
  const here = at === undefined ? -1 : status.way.indexOf(at);
  // A phase that was left for an earlier one (lag rose, the window closed) is still to be done.
  const ahead = here >= 0 && status.way.indexOf(phase) > here;
  return over && !ahead ? `- [x] ${phase}${took(last.startedAt, last.endedAt)}` : `- [ ] ${phase}`;
}

function actLine({ name, does, done }: PreparationStatus['acts'][number]): string {
  return done === undefined ? `${name}: ${plain(does)}` : `${name} ✓ ${plain(done)}`;
}

function runningLine({ resource, hourly, since }: PreparationStatus['running'][number]): string {
  const price = hourly === undefined ? 'price not known' : `${hourly.toFixed(3)} USD an hour`;
  return `${plain(resource)}${since === undefined ? '' : `, since ${since}`}: ${price}`;
}

function took(startedAt: string, endedAt: string | undefined): string {
  if (endedAt === undefined) return '';
  return ` (${seconds(Date.parse(endedAt) - Date.parse(startedAt))})`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`**${title}**`, '', ...lines.map((line) => `- ${line}`), ''];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``;

/** People's texts end up in somebody else's browser: no markup of theirs. */
function plain(text: string): string {
  return text.replace(/[<>[\]`*|\r\n]/g, ' ');
}
