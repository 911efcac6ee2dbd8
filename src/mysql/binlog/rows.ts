import type { EventBase, RowChange, RowsEvent } from './events.ts';
import { eventCodes, rowsFlags } from './events.ts';
import { readPacked, uint48 } from './integers.ts';
import { corrupt, unsupported } from './problems.ts';
import type { TableMap } from './table-map.ts';

/** `tables` by id, as the TABLE_MAP events before gave them. */
export function readRows(
  base: EventBase,
  code: number,
  bytes: Buffer,
  start: number,
  end: number,
  tables: ReadonlyMap<number, TableMap>,
): RowsEvent {
  const table = tables.get(uint48(bytes, start));
  if (table === undefined) throw corrupt('a rows event without its TABLE_MAP');
  const flags = bytes[start + 6]! | (bytes[start + 7]! << 8);
  const cursor = { at: start + 8 };
  // Version 2 has extra data (partitions, NDB) behind its own length, which counts itself.
  if (code >= eventCodes.writeRows) cursor.at += bytes[cursor.at]! | (bytes[cursor.at + 1]! << 8);
  const change = changeOf(code);
  const columns = readPacked(bytes, cursor);
  if (columns !== table.columnCount) throw corrupt('a rows event does not fit its TABLE_MAP');
  let complete = table.isComplete(bytes, cursor.at);
  cursor.at += table.bitmapLength;
  if (change === 'update') {
    complete &&= table.isComplete(bytes, cursor.at);
    cursor.at += table.bitmapLength;
  }
  if (!(cursor.at <= end)) throw corrupt('a rows event is cut off');
  return {
    file: base.file,
    offset: base.offset,
    timestamp: base.timestamp,
    serverId: base.serverId,
    type: 'rows',
    change,
    table,
    bytes,
    start: cursor.at,
    end,
    endOfStatement: (flags & rowsFlags.endOfStatement) !== 0,
    noForeignKeyChecks: (flags & rowsFlags.noForeignKeyChecks) !== 0,
    cascadesLogged: (flags & rowsFlags.cascadesLogged) !== 0,
    refusal: refusal(code, complete),
  };
}

/**
 * Calls `onRow` for each row: an update's before image lies from `start` to `split`, its after image
 * from `split` to `end`; of an insert or delete the one image lies from `start` to `end` = `split`.
 * Throws BINLOG_UNSUPPORTED or BINLOG_CORRUPT; of a malformed event some rows may have been handed out.
 */
export function walkRows(
  event: RowsEvent,
  onRow: (start: number, split: number, end: number) => void,
): number {
  const { table, bytes, end } = event;
  if (event.refusal !== null) {
    const { schema, name } = table.name;
    throw unsupported(`rows of ${schema}.${name}: ${event.refusal}`, event);
  }
  table.checkTypes();
  const twoImages = event.change === 'update';
  let rows = 0;
  let at = event.start;
  while (at < end) {
    const split = table.imageEnd(bytes, at);
    const next = twoImages ? table.imageEnd(bytes, split) : split;
    if (next > end) throw corrupt('a row image goes beyond its event', event);
    onRow(at, split, next);
    rows += 1;
    at = next;
  }
  return rows;
}

function changeOf(code: number): RowChange {
  switch (code) {
    case eventCodes.writeRows:
    case eventCodes.writeRowsV1:
      return 'insert';
    case eventCodes.deleteRows:
    case eventCodes.deleteRowsV1:
      return 'delete';
    default:
      return 'update';
  }
}

function refusal(code: number, complete: boolean): string | null {
  if (code === eventCodes.partialUpdateRows) {
    return 'JSON changes were logged as differences (binlog_row_value_options)';
  }
  return complete ? null : 'columns were left out of the row image (binlog_row_image is not FULL)';
}
