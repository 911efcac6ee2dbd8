import type { Measurement } from './measure.ts';
import { measure } from './measure.ts';
import type { PhaseName } from './options.ts';
import type { BenchServer } from './servers.ts';

/** A way to do a phase's work. */
export interface Contender {
  readonly name: string;
  /** Not measured: brings the target to where the work begins. */
  prepare(): Promise<void>;
  run(): Promise<void>;
  /** Not measured: fails when the work was not done. */
  check(): Promise<void>;
}

export interface Phase {
  readonly name: PhaseName;
  /** What is counted, and how many of them one run handles. */
  readonly unit: string;
  readonly amount: number;
  /** Skyferry is the first. */
  readonly contenders: readonly Contender[];
}

export interface PhaseResult {
  readonly phase: PhaseName;
  readonly unit: string;
  readonly amount: number;
  readonly contenders: readonly { name: string; runs: readonly Measurement[] }[];
}

/** Each contender in turn, round after round, so that whatever else the machine does meets all alike. */
export async function runPhase(
  phase: Phase,
  {
    rounds,
    source,
    target,
    signal,
    progress,
  }: {
    rounds: number;
    source: BenchServer;
    target: BenchServer;
    signal: AbortSignal;
    progress: (line: string) => void;
  },
): Promise<PhaseResult> {
  const results = phase.contenders.map(({ name }) => ({ name, runs: [] as Measurement[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const [index, contender] of phase.contenders.entries()) {
      signal.throwIfAborted();
      await contender.prepare();
      const pids = { source: source.pid, target: target.pid };
      const measurement = await measure(pids, () => contender.run());
      await contender.check();
      results[index]?.runs.push(measurement);
      const seconds = measurement.seconds.toFixed(2);
      progress(`${phase.name} ${round}/${rounds}: ${contender.name} ${seconds} s`);
    }
  }
  return { phase: phase.name, unit: phase.unit, amount: phase.amount, contenders: results };
}
