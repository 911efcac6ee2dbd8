import type { Column, Table } from '../../mysql/catalog/types.ts';
import { displayName } from '../../mysql/identifier.ts';
import type { SourceSide } from '../facts.ts';
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

/** So many bits a DOUBLE holds exactly. */
const SET_MEMBERS = 53;

/** Columns of the row key, or of a foreign key, whose values are found by a number that is not exact. */
function longSets({ columns, rowKey, foreignKeys }: Table): Column[] {
  const keys = new Set([...(rowKey?.columns ?? []), ...foreignKeys.flatMap((key) => key.columns)]);
  // No member may contain a comma.
  const members = ({ columnType }: Column) => columnType.split(',').length;
  return columns.filter(
    (column) => column.dataType === 'set' && keys.has(column.name) && members(column) > SET_MEMBERS,
  );
}

export const columnsCheck = check<SourceSide>(
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
      ...catalog.tables.flatMap((table) =>
        longSets(table).map((column) => ({
          severity: 'blocker' as const,
          object: `${displayName(table.name)}.${column.name}`,
          found: `is a SET of more than ${SET_MEMBERS} members in a key: MySQL compares their numbers as DOUBLE, so rows cannot be told apart`,
          fix: 'give the table a primary key of another type on the source',
        })),
      ),
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
