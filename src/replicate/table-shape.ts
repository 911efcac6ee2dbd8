import { SkyferryFailure } from '../failures.ts';
import { columnTypes as t } from '../mysql/binlog/column-types.ts';
import type { TableMap } from '../mysql/binlog/table-map.ts';
import type { Column } from '../mysql/catalog/types.ts';
import { displayName } from '../mysql/identifier.ts';
import type { ReplicatedTable } from './replicated-tables.ts';

/** Types that a table map may give for a column of the catalog's data type. */
const typesOf: Readonly<Record<string, readonly number[]>> = {
  tinyint: [t.tiny, t.bool],
  smallint: [t.short],
  mediumint: [t.int24],
  int: [t.long],
  bigint: [t.longlong],
  decimal: [t.newDecimal],
  float: [t.float],
  double: [t.double],
  bit: [t.bit],
  date: [t.date, t.newDate],
  time: [t.time2],
  datetime: [t.datetime2],
  timestamp: [t.timestamp2],
  year: [t.year],
  char: [t.string],
  binary: [t.string],
  varchar: [t.varchar, t.varString],
  varbinary: [t.varchar, t.varString],
  tinyblob: [t.blob],
  blob: [t.blob],
  mediumblob: [t.blob],
  longblob: [t.blob],
  tinytext: [t.blob],
  text: [t.blob],
  mediumtext: [t.blob],
  longtext: [t.blob],
  enum: [t.enum],
  set: [t.set],
  json: [t.json],
  vector: [t.vector],
};
const geometry = new Set(
  'geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection geomcollection'.split(
    ' ',
  ),
);

/** SCHEMA_CHANGED when rows of this shape cannot be rows of the catalog's table. */
export function checkShape(shape: TableMap, { table }: ReplicatedTable): void {
  const changed = (how: string) =>
    new SkyferryFailure('SCHEMA_CHANGED', `${displayName(table.name)} ${how}`, {
      safe: 'nothing from this change on was applied',
    });
  if (shape.columnCount !== table.columns.length) {
    throw changed(`has ${shape.columnCount} columns, ${table.columns.length} when it was read`);
  }
  shape.checkTypes();
  for (const [i, column] of table.columns.entries()) {
    if (!allowedTypes(column).includes(shape.realType(i))) {
      throw changed(`has another type in column ${i + 1}, which was ${column.dataType}`);
    }
  }
}

function allowedTypes({ dataType }: Column): readonly number[] {
  return geometry.has(dataType) ? [t.geometry] : (typesOf[dataType] ?? []);
}

/** Row images of both can stand in one event. */
export function sameLayout(a: TableMap, b: TableMap): boolean {
  return (
    a === b ||
    (a.columnCount === b.columnCount &&
      a.types.every((type, i) => type === b.types[i]) &&
      a.metadata.every((metadata, i) => metadata === b.metadata[i]))
  );
}
