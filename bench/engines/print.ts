import type { Engine } from '../../src/config/schema.ts';
import type { Measured } from './migrate.ts';
import type { EngineBenchOptions } from './options.ts';

export interface EngineBenchResult {
  readonly command: string;
  readonly machine: string;
  readonly engines: readonly { readonly engine: Engine; readonly runs: readonly Measured[] }[];
}

export function commandLine({ scale, rate, rounds }: EngineBenchOptions): string {
  return `npm run bench:engines -- --scale ${scale} --rate ${rate} --rounds ${rounds}`;
}

/** For docs/engines.md. */
export function resultLines({ command, machine, engines }: EngineBenchResult): string {
  const heads = engines.map(({ engine }) =>
    engine === 'azure-dms' ? 'azure-dms (the sandbox’s service)' : engine,
  );
  const line = (name: string, cell: (runs: readonly Measured[]) => string) =>
    `| ${[name, ...engines.map(({ runs }) => cell(runs))].join(' | ')} |`;
  const all = engines.flatMap(({ runs }) => runs);
  return [
    `\`${command}\``,
    '',
    `**Machine:** ${machine}.`,
    `**Data:** ${rowsLoaded(all)} rows loaded, in 31 tables; two applications write all the time.`,
    '',
    `| | ${heads.join(' | ')} |`,
    `|---|${heads.map(() => '--:|').join('')}`,
    line('full load, s', (runs) => spread(runs, ({ loadSeconds }) => loadSeconds, 1)),
    line('from there to caught up, indexes built, s', (runs) =>
      spread(runs, ({ catchUpSeconds }) => catchUpSeconds, 1),
    ),
    line('steady lag, ms: median of each second’s highest (95th percentile)', lagCell),
    line('write downtime, s', (runs) => spread(runs, ({ downtimeMs }) => downtimeMs / 1000, 1)),
    line('events in the workflow’s history', (runs) =>
      spread(runs, ({ historyEvents }) => historyEvents, 0),
    ),
  ].join('\n');
}

function spread(
  runs: readonly Measured[],
  value: (run: Measured) => number,
  digits: number,
): string {
  const values = runs.map(value);
  const [low, high] = [Math.min(...values), Math.max(...values)].map((one) => one.toFixed(digits));
  return `${quantile(values, 0.5).toFixed(digits)} (${low} - ${high})`;
}

function lagCell(runs: readonly Measured[]): string {
  const lags = runs.flatMap(({ lagMs }) => lagMs);
  return `${quantile(lags, 0.5).toFixed(0)} (${quantile(lags, 0.95).toFixed(0)})`;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Not quite the same for all: the applications write before the load as well. */
function rowsLoaded(runs: readonly Measured[]): string {
  const counts = runs.map(({ rows }) => rows);
  const [low, high] = [Math.min(...counts), Math.max(...counts)].map(
    (rows) => `${Math.round(rows / 1000)}k`,
  );
  return low === high ? `${low}` : `${low} to ${high}`;
}
