import { parseArgs } from 'node:util';

export interface EngineBenchOptions {
  /** Of the sample database; 1 is about 80,000 rows. */
  readonly scale: number;
  /** Transactions a second that the applications try. */
  readonly rate: number;
  readonly rounds: number;
  /** Where the results go as JSON. */
  readonly json: string | null;
}

export const usage = `usage: npm run bench:engines -- [options]
  --scale N     size of the sample database; 1 is about 80,000 rows (default 4)
  --rate N      transactions a second that the applications try (default 60)
  --rounds N    whole migrations by each engine; medians are printed (default 3)
  --json FILE   writes every single measurement`;

/** Throws TypeError for what is not understood. */
export function readOptions(args: readonly string[]): EngineBenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scale: { type: 'string', default: '4' },
      rate: { type: 'string', default: '60' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    scale: positive('scale', values.scale),
    rate: positive('rate', values.rate),
    rounds: Math.ceil(positive('rounds', values.rounds)),
    json: values.json ?? null,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`--${name}: ${text} is no number above 0`);
}
