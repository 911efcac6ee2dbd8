import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { stripVTControlCharacters } from 'node:util';
import { dirname, join } from 'node:path';
import { engineRemarks, engineRows, estimatesOrigin, whyInUse } from '../engine-lines.ts';
import { runningLine } from '../preparation-lines.ts';
import { failureLines } from '../status-lines.ts';
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
import { stylesheet } from './stylesheet.ts';

/** One page that needs nothing else: no network, no other file. Every text in it is escaped. */
export async function reportHtml(evidence: ReportEvidence): Promise<string> {
  const { status } = evidence.report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${esc(`migration/${status.name}: ${status.phase}`)}</title>
<style>${stylesheet}${await uplotFile('uPlot.min.css')}</style></head><body>
<header><h1>${esc(`migration/${status.name}`)}</h1><span class="phase ${esc(status.phase)}">${esc(status.phase)}</span>${status.engine === undefined ? '' : `<span>${esc(`engine ${status.engine}`)}</span>`}</header>
${failure(evidence)}
${figures(evidence)}
${section('Phases', phases(evidence))}
${section('Clouds', clouds(evidence))}
${section('Lag', await lagPlot(evidence))}
${section('Cutover', cutover(evidence))}
${section('As the application saw it', application(evidence))}
${section('Tables', tables(evidence))}
${section('Rows that differ', differingRows(evidence))}
${section('Who decided what', people(evidence))}
${section('What was done', whatWasDone(evidence))}
${section('Engines', engines(evidence))}
${section('Noticed', remarks(evidence))}
<footer>${esc(`generated ${evidence.generatedAt}`)}</footer>
</body></html>`;
}

function failure({ report: { status } }: ReportEvidence): string {
  const lines = failureLines(status)
    .map(stripVTControlCharacters)
    .filter((line) => line !== '');
  return lines.length === 0 ? '' : `<p class="bad">${lines.map(esc).join('<br>')}</p>`;
}

function figures({ report, application: seen }: ReportEvidence): string {
  const { verification, copy, cutover: result } = report;
  const cards: [string, string, string][] = [
    ...(verification === null
      ? []
      : [
          card(
            verification.equal ? '0' : String(verification.differing),
            `differing of ${formatCount(verification.rows)} rows`,
            verification.equal ? 'good' : 'bad',
          ),
        ]),
    ...(result === null
      ? []
      : [card(formatDuration(result.writeDowntimeMs), 'write downtime, fence to switch')]),
    ...(seen === undefined
      ? []
      : [
          card(
            formatDuration(applicationDowntimeMs(seen, report)),
            'outage that the application saw',
          ),
        ]),
    ...(copy === null
      ? []
      : [
          card(formatCount(copy.rows), `rows copied, ${formatBytes(copy.bytes)}`),
          card(
            `${formatCount(copy.rows / Math.max(0.001, (Date.parse(copy.endedAt) - Date.parse(copy.startedAt)) / 1000))}/s`,
            'rows while copying',
          ),
        ]),
  ];
  return `<div class="cards">${cards.map(([value, label, kind]) => `<div class="card ${kind}"><b>${esc(value)}</b><span>${esc(label)}</span></div>`).join('')}</div>`;
}

const card = (value: string, label: string, kind = ''): [string, string, string] => [
  value,
  label,
  kind,
];

function phases({ report, generatedAt }: ReportEvidence): string {
  const rows = phaseDurations(report, Date.parse(generatedAt));
  const longest = Math.max(1, ...rows.map(({ ms }) => ms));
  return rows
    .map(({ phase, ms, startedAt, times }) =>
      bar(
        phase,
        ms / longest,
        `${formatDuration(ms)}${times > 1 ? `, entered ${times} times` : ''}`,
        startedAt,
      ),
    )
    .join('');
}

function bar(label: string, share: number, text: string, title: string): string {
  return `<div class="bar" title="${esc(title)}"><span class="label">${esc(label)}</span><span class="track"><i style="width:${(share * 100).toFixed(2)}%"></i></span><span class="value">${esc(text)}</span></div>`;
}

function engines({ report: { plan: made, status } }: ReportEvidence): string {
  if (made === null) return '';
  const { plan } = made;
  const names = plan.engines.map(({ engine }) => (engine === plan.engine ? `● ${engine}` : engine));
  const rows = engineRows(plan).map(({ question, cells }) => [question, ...cells]);
  const items = engineRemarks(plan).map(({ text }) => `<li>${esc(text)}</li>`);
  return [
    `<p>${esc(`${plan.engine}: ${whyInUse(plan, status.engine)}`)}</p>`,
    `<div class="wrap">${grid(['engine', ...names], rows, [])}</div>`,
    items.length === 0 ? '' : `<ul>${items.join('')}</ul>`,
    `<p>${esc(estimatesOrigin)}</p>`,
  ].join('');
}

function clouds({ report: { status, clouds: plan }, generatedAt }: ReportEvidence): string {
  const { preparation } = status;
  if (preparation === undefined) return '';
  const acts = preparation.acts.map(({ name, does, interrupts, costs, done }) => [
    name,
    done ?? `still to be done: ${does}`,
    [interrupts && `interrupts ${interrupts}`, costs].filter(Boolean).join('; '),
  ]);
  const running = preparation.running.map((resource) => [
    'runs',
    stripVTControlCharacters(runningLine(resource, Date.parse(generatedAt))),
    '',
  ]);
  const differences = (plan?.target.differences ?? []).map(({ parameter, source, target, why }) => [
    parameter,
    `${source} → ${target}`,
    why,
  ]);
  const grids = [
    grid(['change', 'what it did', 'consequences'], [...acts, ...running], []),
    differences.length === 0
      ? ''
      : grid(['parameter that differs', 'values', 'why'], differences, []),
  ];
  return `<div class="wrap">${grids.join('')}</div>`;
}

async function lagPlot({ report }: ReportEvidence): Promise<string> {
  const samples = report.lag ?? [];
  if (samples.length < 2) return '';
  const data = [
    samples.map(({ at }) => Date.parse(at) / 1000),
    samples.map(({ lagMs }) => lagMs / 1000),
  ];
  // "<" cannot close the script element when it is written as an escape.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<div id="lag"></div><script>${await uplotFile('uPlot.iife.min.js')}</script><script>
new uPlot({width:Math.min(960,document.body.clientWidth-64),height:220,cursor:{y:false},
 series:[{},{label:'lag (s)',stroke:'#0b6e99',fill:'rgba(11,110,153,.12)',width:2}],
 axes:[{},{label:'seconds'}]},${json},document.getElementById('lag'));</script>`;
}

function tables({ report }: ReportEvidence): string {
  const rows = tableEvidence(report);
  const list = grid(
    ['table', 'rows', 'size', 'rows/s', 'compared', 'differing', 'digest (SHA-256)'],
    rows.map(({ table, rows: count, bytes, seconds, verifiedRows, differing, digest }) => [
      table,
      formatCount(count),
      formatBytes(bytes),
      seconds > 0 ? formatCount(count / seconds) : '',
      verifiedRows === undefined ? '' : formatCount(verifiedRows),
      differing === undefined ? '' : String(differing),
      digest ?? '',
    ]),
    [1, 2, 3, 4, 5],
  );
  return [list, ...unlistedTables(report).map((line) => `<p>${esc(line)}</p>`)].join('');
}

function differingRows({ rows, report: { verification } }: ReportEvidence): string {
  if (rows === undefined) return '';
  if (!rows.named) return `<p class="bad">${esc(`Not named here: ${rows.why}. ${rows.how}`)}</p>`;
  const more = (verification?.differing ?? 0) - rows.differing.length;
  const lines = [...namedRowLines(rows), ...(more > 0 ? [`… and ${more} more`] : [])];
  return `<ul>${lines.map((line) => `<li><code>${esc(line)}</code></li>`).join('')}</ul>`;
}

function cutover({ report: { cutover: result } }: ReportEvidence): string {
  if (result === null) return '';
  const longest = Math.max(0.001, ...result.steps.map(({ seconds }) => seconds));
  return [
    ...result.steps.map(({ step, seconds, startedAt, note }) =>
      bar(
        step,
        seconds / longest,
        `${formatDuration(seconds * 1000)}${note === undefined ? '' : ` · ${note}`}`,
        startedAt,
      ),
    ),
    ...(result.unfenceCommand === undefined
      ? []
      : [
          `<p>The source stays fenced. To lift it by hand: <code>${esc(result.unfenceCommand)}</code></p>`,
        ]),
  ].join('');
}

function application({ application: seen }: ReportEvidence): string {
  if (seen === undefined) return '';
  return `<p class="${seen.ok ? 'good' : 'bad'}">${esc(`${seen.acknowledged} acknowledged transactions: ${seen.missing} missing, ${seen.doubled} doubled, ${seen.unexpected} unexpected`)}</p>${grid(
    ['outage from', 'to', 'lasted'],
    seen.outages.map(({ from, to, ms }) => [from, to, formatDuration(ms)]),
    [2],
  )}`;
}

function people({ report: { status } }: ReportEvidence): string {
  return grid(
    ['message', 'by', 'at', 'outcome', 'note'],
    status.messages.map(({ name, by, at, outcome, reason, note }) => [
      name,
      by,
      at,
      outcome,
      [reason, note].filter((text) => text !== undefined).join('; '),
    ]),
    [],
  );
}

function whatWasDone({ report: { milestones } }: ReportEvidence): string {
  return grid(
    ['at', 'what'],
    milestones.map(({ at, text }) => [at, text]),
    [],
  );
}

function remarks({ report }: ReportEvidence): string {
  const lines = [
    ...documentLines(report),
    ...report.findings
      .filter(({ severity }) => severity === 'warning')
      .map(
        ({ code, object, found }) =>
          `${code}${object === undefined ? '' : ` (${object})`}: ${found}`,
      ),
  ];
  return lines.length === 0
    ? ''
    : `<ul>${lines.map((line) => `<li>${esc(line)}</li>`).join('')}</ul>`;
}

function grid(head: string[], rows: string[][], right: number[]): string {
  if (rows.length === 0) return '';
  const cell = (tag: string) => (text: string, index: number) =>
    `<${tag}${right.includes(index) ? ' class="n"' : ''}>${esc(text)}</${tag}>`;
  return `<div class="scroll"><table><thead><tr>${head.map(cell('th')).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`)
    .join('')}</tbody></table></div>`;
}

function section(title: string, body: string): string {
  return body === ''
    ? ''
    : `<section class="${esc(title.toLowerCase().replaceAll(' ', '-'))}"><h2>${esc(title)}</h2>${body}</section>`;
}

function esc(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

async function uplotFile(name: string): Promise<string> {
  const main = createRequire(import.meta.url).resolve('uplot');
  return await readFile(join(dirname(main), name), 'utf8');
}
