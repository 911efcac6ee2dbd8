import type { Holder } from '../checkpoint/epoch.ts';
import { epochLost } from '../checkpoint/epoch.ts';
import { SkyferryFailure } from '../failures.ts';
import type { FilePosition } from '../mysql/position.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';

/**
 * Last before the commit of loaded rows, because every chunk locks this one row: the highest watermark,
 * under the epoch. The assignment to updated_at always changes it, so changed and matched rows are the
 * same count.
 */
export async function raiseHigh(
  target: RawConnection,
  holder: Holder,
  position: FilePosition | null,
): Promise<void> {
  if (position === null) throw new SkyferryFailure('INTERNAL', 'a chunk without a watermark');
  const stored = `CAST(SUBSTRING_INDEX(high_file, '.', -1) AS UNSIGNED)`;
  const here = String(Number(position.file.slice(position.file.lastIndexOf('.') + 1)));
  // Assignments run from left to right: the offset is chosen while high_file is still the former one.
  const { affectedRows } = await target.run(
    `UPDATE skyferry.migration SET
       high_offset = IF(high_file IS NULL OR ${stored} < ${here}, ${position.offset},
                     IF(${stored} = ${here}, GREATEST(high_offset, ${position.offset}), high_offset)),
       high_file = IF(high_file IS NULL OR ${stored} < ${here}, ${ascii(position.file)}, high_file),
       updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)
     WHERE name = ${ascii(holder.name)} AND epoch = ${holder.epoch}`,
  );
  if (affectedRows !== 1) throw epochLost(holder);
}

export function ascii(text: string): string {
  return `_ascii x'${Buffer.from(text, 'latin1').toString('hex')}'`;
}
