import Table from 'cli-table3';
import { machine } from './machine.ts';
import type { Measurement } from './measure.ts';
import type { BenchOptions } from './options.ts';
import type { PhaseResult } from './phase.ts';
import type { Programs } from './programs.ts';

export interface BenchResult {
  readonly command: string;
  readonly machine: string;
  readonly data: string;
  readonly phases: readonly PhaseResult[];
}

export function machineLine({ mysqld, mydumperVersion }: Programs): string {
  return `${machine()}, MySQL ${mysqld.version} on both sides, mydumper ${mydumperVersion}`;
}

export function commandLine({ rows, changes, rounds, phases }: BenchOptions): string {
  const only = phases.length === 3 ? '' : phases.map((phase) => ` --only ${phase}`).join('');
  return `npm run bench -- --rows ${rows} --changes ${changes} --rounds ${rounds}${only}`;
}

export function resultLines(result: BenchResult): string {
  const parts = [result.command, result.machine, result.data];
  return [...parts, ...result.phases.map(phaseTable)].join('\n\n');
}

function phaseTable({ phase, unit, amount, contenders }: PhaseResult): string {
  const table = new Table({
    head: ['median s', 'min - max', `${unit}/s`, 'Skyferry is', 'CPU s: client, source, target'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  table.options.head.unshift(`${phase} (${amount.toLocaleString('en')} ${unit})`);
  const own = medianOf(contenders[0]?.runs ?? [], ({ seconds }) => seconds);
  for (const { name, runs } of contenders) {
    const all = runs.map(({ seconds }) => seconds);
    const median = medianOf(runs, ({ seconds }) => seconds);
    const cpu = (['client', 'source', 'target'] as const).map((who) =>
      medianOf(runs, (run) => run.cpu[who]).toFixed(1),
    );
    table.push([
      name,
      median.toFixed(2),
      `${Math.min(...all).toFixed(2)} - ${Math.max(...all).toFixed(2)}`,
      `${Math.round(amount / median / 1000)}k`,
      name === contenders[0]?.name ? '' : `${(median / own).toFixed(2)}x`,
      cpu.join(', '),
    ]);
  }
  return table.toString();
}

function medianOf(runs: readonly Measurement[], value: (run: Measurement) => number): number {
  const sorted = runs.map(value).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
