import { contentHash } from '../config/hash.ts';
import type { Plan } from './plan.ts';

/** What a person approves. Estimates, what the engines not taken would mean, what the fence would meet, and row counts are left out: they move while the source is written to. */
export function planHash({
  estimates: _,
  engines: __,
  whyEngine: ___,
  cutover: { rehearsal: ____, ...cutover },
  // The largest ones, which may be others tomorrow; `tablesHash` is of all.
  tables: _____,
  ...decisions
}: Plan): string {
  return contentHash({ ...decisions, cutover });
}
