import { setTimeout as sleep } from 'node:timers/promises';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { durationMs } from '../config/schema.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import { SAMPLE_MS } from './await-lag.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { resolveTarget } from './job.ts';
import { currentLagMs } from './lag.ts';
import { runBriefly, runStep } from './step.ts';

/** One connection and one activity for as long as the wait lasts: no events, whatever its length. */
export function watchLag(deps: ActivityDependencies): Activities['watchLag'] {
  return async ({ config }) =>
    await runStep('lag', async ({ signal, report }) => {
      const { lagSamples, lagThreshold } = config.cutover;
      const thresholdMs = durationMs(lagThreshold);
      return await withConnection(await resolveTarget(deps, config), { signal }, async (c) => {
        for (let above = 0; ;) {
          const lagMs = await readCurrentLag(c, config.name);
          report({ step: `lag ${(lagMs / 1000).toFixed(1)} s` });
          above = lagMs > thresholdMs ? above + 1 : 0;
          if (above >= lagSamples) return { lagMs };
          await sleep(SAMPLE_MS, undefined, { signal });
        }
      });
    });
}

export function readLag(deps: ActivityDependencies): Activities['readLag'] {
  return async ({ config }) =>
    await runBriefly(async (signal) => {
      const target = await resolveTarget(deps, config);
      const lagMs = await withConnection(target, { signal }, (c) => readCurrentLag(c, config.name));
      return { lagMs };
    });
}

async function readCurrentLag(connection: Connection, name: string): Promise<number> {
  return currentLagMs(await requireCheckpoint(connection, name), new Date());
}
