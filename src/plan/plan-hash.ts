import { contentHash } from '../config/hash.ts';
import type { Plan } from './plan.ts';

/**
 * They move while the source is written to, or are about engines that are not taken. `tables` are the largest
 * ones, which may be others tomorrow: `tablesHash` is of all.
 */
const MOVING: ReadonlySet<string> = new Set<keyof Plan>([
  'estimates',
  'engines',
  'whyEngine',
  'tables',
]);

/** What a person approves; what the fence would meet at this moment is left out too. */
export function planHash(plan: Plan): string {
  const { rehearsal: _, ...cutover } = plan.cutover;
  const decisions = Object.entries(plan).filter(([name]) => !MOVING.has(name));
  return contentHash({ ...Object.fromEntries(decisions), cutover });
}
