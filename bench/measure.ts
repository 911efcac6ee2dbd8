import { readFileSync } from 'node:fs';

/** Of one run: wall-clock seconds, and CPU seconds by who spent them. */
export interface Measurement {
  readonly seconds: number;
  readonly cpu: { readonly client: number; readonly source: number; readonly target: number };
}

/** The kernel counts in hundredths on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export async function measure(
  pids: { source: number; target: number },
  run: () => Promise<void>,
): Promise<Measurement> {
  const look = () => ({
    // Programs that were started count once they have ended and were waited for.
    client: cpuSeconds(process.pid, { withChildren: true }),
    source: cpuSeconds(pids.source, { withChildren: false }),
    target: cpuSeconds(pids.target, { withChildren: false }),
  });
  const before = look();
  const began = performance.now();
  await run();
  const seconds = (performance.now() - began) / 1000;
  const after = look();
  return {
    seconds,
    cpu: {
      client: after.client - before.client,
      source: after.source - before.source,
      target: after.target - before.target,
    },
  };
}

function cpuSeconds(pid: number, { withChildren }: { withChildren: boolean }): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, withChildren ? 15 : 13).map(Number);
  return ticks.reduce((sum, n) => sum + n, 0) / TICKS_PER_SECOND;
}
