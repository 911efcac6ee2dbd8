import type { RowsEvent } from '../mysql/binlog/events.ts';
import { walkRows } from '../mysql/binlog/rows.ts';
import type { FilePosition } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import type { Batch, TableChanges } from './batch.ts';
import { keyTextOf, sameKey } from './key-text.ts';
import type { CascadingKey } from './replicated-tables.ts';
import type { Route } from './table-router.ts';

/** Puts the rows of an event into a batch, and the cascades that the source did not log before them. */
export function collectChanges(event: RowsEvent, route: Route, batch: Batch): void {
  const { table } = route;
  const { change, bytes, table: shape } = event;
  const at: FilePosition = { file: event.file, offset: event.offset };
  const copied = table.startsAfter !== null && compareFilePositions(at, table.startsAfter) <= 0;
  const cascades = cascadesOf(event, route);

  let changes: TableChanges | null = null;
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
    if (copied) return;
    const current = batch.changesOf(table, shape);
    if (current !== changes) current.startEvent();
    changes = current;
    current.add(change, bytes, start, split, end);
  });
  batch.countRows(rows);
}

/** Foreign keys that acted without leaving rows in the binlog. */
function cascadesOf(
  { change, noForeignKeyChecks, cascadesLogged }: RowsEvent,
  route: Route,
): readonly CascadingKey[] {
  if (noForeignKeyChecks || cascadesLogged) return [];
  if (change === 'delete') return route.deleteCascades;
  return change === 'update' ? route.updateCascades : [];
}
