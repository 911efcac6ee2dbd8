import type { Endpoint } from '../mysql/endpoint.ts';
import { detach, end, release } from './native/detach.ts';
import type { EngineRemains } from './engine.ts';

/** Whatever the configuration says now: an engine that was left half-way is found as well. */
export function engineRemains(
  job: { readonly source: Endpoint; readonly target: Endpoint; readonly migration: string },
  dms: EngineRemains | null,
): EngineRemains {
  const native: EngineRemains = {
    detach: async (signal) => await detach(job, signal),
    release: async (signal) => {
      await release(job, signal);
    },
    end: async (signal) => await end(job, signal),
  };
  return dms === null ? native : both(native, dms);
}

function both(a: EngineRemains, b: EngineRemains): EngineRemains {
  return {
    detach: async (signal) => {
      await a.detach(signal);
      await b.detach(signal);
    },
    release: async (signal) => {
      await a.release(signal);
      await b.release(signal);
    },
    end: async (signal) => [...(await a.end(signal)), ...(await b.end(signal))],
  };
}
