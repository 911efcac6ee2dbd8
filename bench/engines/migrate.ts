import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../src/config/schema.ts';
import { launchClouds } from '../../src/sandbox/clouds/launch.ts';
import { runCloudsDemo } from '../../src/sandbox/demo/clouds/run-clouds-demo.ts';
import { reset } from '../../src/sandbox/down.ts';
import { layoutOf } from '../../src/sandbox/state.ts';
import { up } from '../../src/sandbox/up.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';
import type { EngineBenchOptions } from './options.ts';

/** Of one whole migration, through the workflow, under writes. */
export interface Measured {
  readonly rows: number;
  readonly loadSeconds: number;
  /** From the loaded rows to a lag below the threshold: converged, all indexes built. */
  readonly catchUpSeconds: number;
  /** The highest of each second, while the cutover waited for its approval. */
  readonly lagMs: readonly number[];
  /** As the cutover measured it, from the fence to the last switch. */
  readonly downtimeMs: number;
  readonly historyEvents: number;
}

/** Long enough for a lag that stands for something. */
const STEADY_MS = 20_000;

export async function migrateBy(
  engine: Engine,
  { scale, rate }: EngineBenchOptions,
  { signal, say }: { signal: AbortSignal; say: (line: string) => void },
): Promise<Measured> {
  const stateDir = await mkdtemp(join(tmpdir(), 'skyferry-bench-'));
  try {
    const servers = ['temporal'] as const;
    const quiet = { stateDir, life: 'bound', signal, progress: () => {} } as const;
    const sandbox = await up({ ...quiet, servers });
    const clouds = await launchClouds(layoutOf(stateDir).clouds, { life: 'bound', signal });
    const { ok, evidence, historyEvents } = await runCloudsDemo(sandbox, clouds, {
      engine,
      alike: true,
      kills: [],
      approveAfterMs: STEADY_MS,
      scale,
      rate,
      seed: 1,
      signal,
      say,
    });
    if (!ok) throw new Error(`${engine}: rows differ, or an application's ledger does not agree`);
    return { ...measured(evidence.report), historyEvents };
  } finally {
    await reset({ stateDir });
    await rm(stateDir, { recursive: true, force: true });
  }
}

function measured({
  copy,
  cutover,
  lag = [],
  status,
}: MigrationReport): Omit<Measured, 'historyEvents'> {
  const phase = (name: string) => status.history.find((one) => one.phase === name);
  const caughtUp = phase('catching-up')?.endedAt;
  const waiting = phase('awaiting-approval');
  if (copy === null || cutover === null || caughtUp === undefined || waiting === undefined) {
    throw new Error('the report lacks a phase');
  }
  const steady = lag.filter(
    ({ at }) => at >= waiting.startedAt && at <= (waiting.endedAt ?? cutover.switchedAt),
  );
  return {
    rows: copy.rows,
    loadSeconds: seconds(copy.startedAt, copy.endedAt),
    catchUpSeconds: seconds(copy.endedAt, caughtUp),
    lagMs: steady.map(({ lagMs }) => lagMs),
    downtimeMs: cutover.writeDowntimeMs,
  };
}

function seconds(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
