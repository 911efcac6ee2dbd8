import type { Column } from '../../mysql/catalog/types.ts';
import { displayName } from '../../mysql/identifier.ts';
import { check } from '../finding.ts';

/** What the engine carries exactly; anything else is refused by name. */
const carried = new Set(
  (
    'tinyint smallint mediumint int bigint decimal float double bit year date time datetime timestamp ' +
    'char varchar binary varbinary tinytext text mediumtext longtext tinyblob blob mediumblob longblob ' +
    'enum set json geometry point linestring polygon multipoint multilinestring multipolygon geomcollection ' +
    'geometrycollection vector'
  ).split(' '),
);

export const columnsCheck = check(
  'column-types',
  'every column can be carried exactly',
  ({ catalog }) => {
    const columns = catalog.tables.flatMap((table) =>
      table.columns.map((column) => ({
        column,
        object: `${displayName(table.name)}.${column.name}`,
      })),
    );
    const named = (pick: (column: Column) => boolean) =>
      columns.filter(({ column }) => pick(column)).map(({ object }) => object);
    const special = named(({ generated, invisible }) => generated !== null || invisible);
    return [
      ...columns
        .filter(({ column }) => !carried.has(column.dataType))
        .map(({ column, object }) => ({
          severity: 'blocker' as const,
          object,
          found: `is ${column.columnType}, which the engine does not carry`,
          fix: 'convert the column on the source',
        })),
      ...(special.length > 0
        ? [
            {
              severity: 'info' as const,
              object: special.join(', '),
              found:
                'is generated or invisible: generated values are computed by the target, invisible columns are copied by name',
            },
          ]
        : []),
    ];
  },
);
