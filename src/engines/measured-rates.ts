import type { Engine } from '../config/schema.ts';

/**
 * Row changes a second, as docs/benchmarks.md has them: source, target and worker on two cores, tables
 * of narrow rows. Azure publishes no rate of its service.
 */
export const appliedPerSecond: Readonly<Record<Engine, number | null>> = {
  'built-in': 67_000,
  native: 13_000,
  'azure-dms': null,
};
