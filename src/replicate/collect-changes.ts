import type { RowsEvent } from '../mysql/binlog/events.ts';
import { walkRows } from '../mysql/binlog/rows.ts';
import type { FilePosition } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import type { Batch } from './batch.ts';
import { keyTextOf, sameKey } from './key-text.ts';
import type { Route } from './table-router.ts';

/** Puts the rows of an event into a batch, and the cascades that the source did not log before them. */
export function collectChanges(event: RowsEvent, route: Route, batch: Batch): void {
  const { table } = route;
  const { change, bytes, table: shape } = event;
  const at: FilePosition = { file: event.file, offset: event.offset };
  const copied = table.startsAfter !== null && compareFilePositions(at, table.startsAfter) <= 0;
  const cascades = event.noForeignKeyChecks ? [] : cascadesOf(event, route);

  const rows = walkRows(event, (start, split, end) => {
    for (const key of cascades) {
      const from = keyTextOf(table.table, shape, key.parentColumns, bytes, start);
      if (change === 'delete') {
        batch.addCascade({ key, from, to: null, at });
        continue;
      }
      const to = keyTextOf(table.table, shape, key.parentColumns, bytes, split);
      if (!sameKey(from, to)) batch.addCascade({ key, from, to, at });
    }
    if (!copied) batch.changesOf(table, shape).add(change, bytes, start, split, end);
  });
  batch.countRows(rows);
}

function cascadesOf({ change }: RowsEvent, route: Route) {
  if (change === 'delete') return route.deleteCascades;
  return change === 'update' ? route.updateCascades : [];
}
