import { parseArgs } from 'node:util';

export const phaseNames = ['load', 'catch-up', 'verify'] as const;
export type PhaseName = (typeof phaseNames)[number];

export interface BenchOptions {
  /** Rows of each of the four tables. */
  readonly rows: number;
  readonly rounds: number;
  readonly phases: readonly PhaseName[];
  /** Row changes of the prepared binlog, about. */
  readonly changes: number;
  /** Where the results go as JSON. */
  readonly json: string | null;
}

export const usage = `usage: npm run bench -- [options]
  --rows N      rows of each of the four tables (default 250000)
  --changes N   row changes that catch-up applies, about (default 300000)
  --rounds N    how often everything is measured; medians are printed (default 3)
  --only PHASE  load, catch-up or verify; may be repeated
  --json FILE   writes every single measurement`;

/** Throws TypeError for what is not understood. */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '250000' },
      changes: { type: 'string', default: '300000' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    rows: count('rows', values.rows),
    changes: count('changes', values.changes),
    rounds: count('rounds', values.rounds),
    phases: values.only.length === 0 ? phaseNames : values.only.map(phase),
    json: values.json ?? null,
  };
}

function count(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new TypeError(`--${name}: ${text} is no count`);
  return Number(text);
}

function phase(text: string): PhaseName {
  const found = phaseNames.find((name) => name === text);
  if (found === undefined) throw new TypeError(`--only: ${phaseNames.join(', ')}; not ${text}`);
  return found;
}
