import { contentHash } from '../config/hash.ts';
import type { Plan } from './plan.ts';

/** What a person approves. Estimates, what the engines not taken would mean, what the fence would meet, and row counts are left out: they move while the source is written to. */
export function planHash({
  estimates: _,
  engines: __,
  whyEngine: ___,
  cutover: { rehearsal: ____, ...cutover },
  tables,
  ...decisions
}: Plan): string {
  return contentHash({
    ...decisions,
    cutover,
    tables: tables
      .map(({ table, key }) => ({ table, key }))
      .sort((a, b) => (a.table < b.table ? -1 : 1)),
  });
}
