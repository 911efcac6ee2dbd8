import { GtidSet } from './gtid-set.ts';
import type { FilePosition, Position } from './position.ts';
import { compareFilePositions } from './position.ts';

/**
 * Whether everything up to `to` is certainly within `from`. A position's GTID set is read before its
 * file and offset, so it may lack transactions before its own offset: the offset alone proves nothing.
 */
export function covers(from: Position, to: FilePosition | Position): boolean {
  return (
    'gtidSet' in to &&
    compareFilePositions(from, to) >= 0 &&
    GtidSet.parse(from.gtidSet).contains(GtidSet.parse(to.gtidSet))
  );
}
