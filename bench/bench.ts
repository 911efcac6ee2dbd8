import type { BenchOptions } from './options.ts';
import type { Programs } from './programs.ts';
import type { BenchServer } from './servers.ts';

/** What every contender works with. */
export interface Bench {
  readonly options: BenchOptions;
  readonly programs: Programs;
  readonly source: BenchServer;
  readonly target: BenchServer;
  /** Holds the rows as text, and whatever a contender writes. */
  readonly folder: string;
  readonly signal: AbortSignal;
}
