import type { Endpoint } from '../mysql/endpoint.ts';
import { detach, end, release } from '../replicate/native/detach.ts';
import type { EngineRemains } from './engine.ts';

/** Whatever the configuration says now: an engine that was left half-way is found as well. */
export function engineRemains(job: {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly migration: string;
}): EngineRemains {
  return {
    detach: async (signal) => await detach(job, signal),
    release: async (signal) => await release(job, signal),
    end: async (signal) => await end(job, signal),
  };
}
