import Table from 'cli-table3';
import pc from 'picocolors';
import type { EngineOption } from '../plan/engines.ts';
import type { Plan } from '../plan/plan.ts';
import { formatDuration } from './numbers.ts';

/** `engine` is null while nothing is chosen. */
export type ComparedEngines = Pick<Plan, 'whyEngine' | 'engines'> & {
  readonly engine: Plan['engine'] | null;
};
type Compared = Pick<ComparedEngines, 'engines'>;

/** Where the estimates come from, for whoever reads them. */
export const estimatesOrigin =
  'full load: 20 MB/s, deliberately low; catch-up and lag: the source’s average since it started (peaks are higher) against the rates of docs/benchmarks.md, measured on two cores; azure-dms: nothing of Azure’s own pace is known';

/** Why the plan took its engine, and which one went on since. */
export function whyInUse(
  { engine, whyEngine }: Pick<Plan, 'engine' | 'whyEngine'>,
  inUse: Plan['engine'] | undefined,
): string {
  return inUse === undefined || inUse === engine
    ? whyEngine
    : `${whyEngine}; switched to ${inUse} since`;
}

/** One row a question, one cell an engine, in the order of `engines`. */
export function engineRows({ engines }: Compared): { question: string; cells: string[] }[] {
  const row = (question: string, answer: (option: EngineOption) => string) => ({
    question,
    cells: engines.map(answer),
  });
  return [
    row('possible', ({ possible }) => (possible ? 'yes' : 'no, see below')),
    row('full load', ({ loadSeconds }) => duration(loadSeconds) ?? 'not known'),
    row('catch-up', catchUp),
    row('lag', ({ lag }) => lag),
    row('downtime', ({ downtime }) => downtime),
    row('cost', ({ cost }) => cost),
    row('risks', ({ risks }) => risks.map((risk) => `- ${risk}`).join('\n')),
  ];
}

function catchUp({ catchUpSeconds, loadSeconds, lag }: EngineOption): string {
  const known = duration(catchUpSeconds);
  if (known !== null) return known;
  return loadSeconds !== null && lag.startsWith('grows') ? 'never at that rate' : 'not known';
}

const duration = (seconds: number | null): string | null =>
  seconds === null ? null : seconds < 1 ? 'below 1 s' : `~${formatDuration(seconds * 1000)}`;

/** What does not fit into a cell: why an engine is not possible, with the fix, and what it warns of. */
export function engineRemarks({ engines }: Compared): { kind: 'no' | 'warning'; text: string }[] {
  return engines.flatMap(({ engine, whyNot, warnings }) => [
    ...whyNot.map((text) => ({ kind: 'no' as const, text: `${engine}: ${text}` })),
    ...warnings.map((text) => ({ kind: 'warning' as const, text: `${engine}: ${text}` })),
  ]);
}

const NARROWEST = 80;
const WIDEST = 132;
const QUESTIONS = 11;

/** `columns`: of the terminal; a pipe gets a page's width. */
export function engineLines(plan: ComparedEngines, columns = 100): string[] {
  const width = Math.min(WIDEST, Math.max(NARROWEST, columns));
  const borders = plan.engines.length + 2;
  const cell = Math.floor((width - borders - QUESTIONS) / Math.max(1, plan.engines.length));
  const table = new Table({
    head: [
      'engine',
      ...plan.engines.map(({ engine }) =>
        engine === plan.engine ? pc.green(`● ${engine}`) : engine,
      ),
    ],
    colWidths: [QUESTIONS, ...plan.engines.map(() => cell)],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { question, cells } of engineRows(plan)) {
    table.push([question, ...cells.map((text) => (text.startsWith('no,') ? pc.red(text) : text))]);
  }
  return [
    `${pc.bold('Engines')}  ${plan.engine === null ? '' : `${pc.green(plan.engine)}: `}${plan.whyEngine}`,
    ...table.toString().split('\n'),
    ...engineRemarks(plan).map(
      ({ kind, text }) => `  ${kind === 'no' ? pc.red('✗') : pc.yellow('!')} ${text}`,
    ),
    `  ${pc.dim(estimatesOrigin)}`,
  ];
}
