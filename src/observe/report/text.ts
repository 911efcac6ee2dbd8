import Table from 'cli-table3';
import pc from 'picocolors';
import { failureLines } from '../status-lines.ts';
import { engineLines, whyInUse } from '../engine-lines.ts';
import { preparationLines } from '../preparation-lines.ts';
import { formatBytes, formatCount, formatDuration } from '../numbers.ts';
import type { ReportEvidence } from './evidence.ts';
import {
  applicationDowntimeMs,
  documentLines,
  namedRowLines,
  phaseDurations,
  tableEvidence,
  unlistedTables,
} from './evidence.ts';

export function reportText(evidence: ReportEvidence): string {
  return [
    heading(evidence),
    phases(evidence),
    clouds(evidence),
    lag(evidence),
    tables(evidence),
    differingRows(evidence),
    cutover(evidence),
    application(evidence),
    people(evidence),
    whatWasDone(evidence),
    engines(evidence),
    remarks(evidence),
  ]
    .filter((section) => section !== '')
    .join('\n\n');
}

function heading({ report: { status, copy, verification } }: ReportEvidence): string {
  const verdict =
    verification === null
      ? pc.yellow('not compared yet')
      : verification.equal
        ? pc.green(`${formatCount(verification.rows)} rows compared, 0 differing`)
        : pc.red(`${verification.differing} rows differ`);
  const loaded =
    copy === null ? '' : `; ${formatCount(copy.rows)} rows and ${formatBytes(copy.bytes)} copied`;
  return [
    pc.bold(`Report of migration/${status.name}: ${status.phase}`),
    `started ${status.startedAt}${status.engine === undefined ? '' : `, engine ${status.engine}`}${status.switchedAt === undefined ? '' : `, switched ${status.switchedAt}`}`,
    `${verdict}${loaded}`,
    ...failureLines(status),
  ].join('\n');
}

function phases({ report, generatedAt }: ReportEvidence): string {
  const table = grid(['phase', 'began', 'took', 'times'], [2, 3]);
  for (const { phase, startedAt, ms, times } of phaseDurations(report, Date.parse(generatedAt))) {
    table.push([phase, startedAt, formatDuration(ms), times]);
  }
  return table.toString();
}

function engines({ report: { plan: made, status } }: ReportEvidence): string {
  if (made === null) return '';
  const plan = { ...made.plan, whyEngine: whyInUse(made.plan, status.engine) };
  return engineLines(plan, process.stdout.columns).join('\n');
}

function clouds({ report: { status, clouds: plan }, generatedAt }: ReportEvidence): string {
  if (status.preparation === undefined) return '';
  return [
    ...preparationLines(status.preparation, Date.parse(generatedAt)),
    ...(plan?.target.differences ?? []).map(
      ({ parameter, source, target, why }) =>
        `  differs: ${parameter}: ${source} → ${target}  ${why}`,
    ),
  ].join('\n');
}

const BLOCKS = '▁▂▃▄▅▆▇█';
const MOST_BLOCKS = 60;

/** The worst of each stretch of time, beside the highest of all. */
function lag({ report: { lag: samples = [] } }: ReportEvidence): string {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (first === undefined || last === undefined) return '';
  const highest = Math.max(1, ...samples.map(({ lagMs }) => lagMs));
  const width = Math.ceil(samples.length / MOST_BLOCKS);
  const blocks = Array.from({ length: Math.ceil(samples.length / width) }, (_, i) => {
    const stretch = samples.slice(i * width, (i + 1) * width).map(({ lagMs }) => lagMs);
    return BLOCKS[Math.round((Math.max(...stretch) / highest) * (BLOCKS.length - 1))];
  });
  return `lag ${blocks.join('')} highest ${formatDuration(highest)}; from ${first.at} to ${last.at}`;
}

function tables({ report }: ReportEvidence): string {
  const evidence = tableEvidence(report);
  if (evidence.length === 0) return '';
  const table = grid(
    ['table', 'rows', 'size', 'rows/s', 'compared', 'differing', 'digest'],
    [1, 2, 3, 4, 5],
  );
  for (const { table: name, rows, bytes, seconds, verifiedRows, digest, differing } of evidence) {
    table.push([
      name,
      formatCount(rows),
      formatBytes(bytes),
      seconds > 0 ? formatCount(rows / seconds) : '',
      verifiedRows === undefined ? '' : formatCount(verifiedRows),
      differing === undefined ? '' : differing === 0 ? '0' : pc.red(String(differing)),
      digest?.slice(0, 12) ?? '',
    ]);
  }
  return [table.toString(), ...unlistedTables(report)].join('\n');
}

function differingRows({ rows, report: { verification } }: ReportEvidence): string {
  if (rows === undefined) return '';
  if (!rows.named) return `${pc.red('rows differ')}; not named here: ${rows.why}\n${rows.how}`;
  const more = (verification?.differing ?? 0) - rows.differing.length;
  return [
    pc.red('The rows that differ, seen from the target'),
    ...namedRowLines(rows).map((line) => `  ${line}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ].join('\n');
}

function cutover({ report: { cutover: result } }: ReportEvidence): string {
  if (result === null) return '';
  const table = grid(['cutover step', 'began', 'took', 'note'], [2]);
  for (const { step, startedAt, seconds, note } of result.steps) {
    table.push([step, startedAt, formatDuration(seconds * 1000), note ?? '']);
  }
  const unfence =
    result.unfenceCommand === undefined
      ? []
      : [`the source stays fenced; to lift it by hand: ${result.unfenceCommand}`];
  return [
    table.toString(),
    `write downtime as measured from the fence to the last switch: ${pc.bold(formatDuration(result.writeDowntimeMs))}`,
    ...unfence,
  ].join('\n');
}

function application({ application: seen, report }: ReportEvidence): string {
  if (seen === undefined) return '';
  const counts = `${seen.acknowledged} acknowledged transactions: ${seen.missing} missing, ${seen.doubled} doubled, ${seen.unexpected} unexpected`;
  return [
    `${pc.bold('As the application saw it')} (${seen.source})`,
    seen.ok ? pc.green(`✓ ${counts}`) : pc.red(`✗ ${counts}`),
    `its longest outage at the cutover: ${pc.bold(formatDuration(applicationDowntimeMs(seen, report)))}`,
  ].join('\n');
}

function people({ report: { status } }: ReportEvidence): string {
  if (status.messages.length === 0) return '';
  const table = grid(['message', 'by', 'at', 'outcome'], []);
  for (const { name, by, at, outcome, reason, note } of status.messages) {
    const detail = [reason, note].filter((text) => text !== undefined).join('; ');
    table.push([name, by, at, detail === '' ? outcome : `${outcome}: ${detail}`]);
  }
  return table.toString();
}

function whatWasDone({ report: { milestones } }: ReportEvidence): string {
  if (milestones.length === 0) return '';
  const lines = milestones.map(({ at, text }) => `  ${pc.dim(at)}  ${text}`);
  return [pc.bold('What was done'), ...lines].join('\n');
}

function remarks({ report }: ReportEvidence): string {
  const warnings = report.findings.filter(({ severity }) => severity === 'warning');
  return [
    ...documentLines(report),
    ...warnings.map(
      ({ code, object, found }) =>
        `warning ${code}${object === undefined ? '' : ` (${object})`}: ${found}`,
    ),
  ].join('\n');
}

function grid(head: string[], right: number[]): Table.Table {
  return new Table({
    head,
    colAligns: head.map((_, index) => (right.includes(index) ? 'right' : 'left')),
    // picocolors decides about colour for everything else: the library's own colours stay off.
    style: { head: [], border: [], compact: true },
  });
}
