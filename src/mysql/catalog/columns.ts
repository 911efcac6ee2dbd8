import type { Connection } from '../connection.ts';
import { displayName } from '../identifier.ts';
import { text, textOrNull } from './text.ts';
import type { Column } from './types.ts';

/** Columns of all tables of the schemas, in their order, by `displayName` of the table. */
export async function readColumns(
  connection: Connection,
  schemas: readonly string[],
): Promise<Map<string, Column[]>> {
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA AS tableSchema, TABLE_NAME AS tableName, COLUMN_NAME AS name, ORDINAL_POSITION AS ordinal,
            DATA_TYPE AS dataType, COLUMN_TYPE AS columnType, IS_NULLABLE AS nullable,
            CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation, EXTRA AS extra
       FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN (${schemas.map(() => '?').join(', ')})
      ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`,
    schemas,
  );
  const byTable = new Map<string, Column[]>();
  for (const row of rows) {
    const table = displayName({ schema: text(row['tableSchema']), name: text(row['tableName']) });
    const columns = byTable.get(table) ?? [];
    byTable.set(table, columns);
    columns.push(toColumn(row));
  }
  return byTable;
}

function toColumn(row: Record<string, unknown>): Column {
  const columnType = text(row['columnType']);
  const extra = text(row['extra']).toUpperCase();
  const stored = extra.includes('STORED GENERATED') ? 'stored' : null;
  return {
    name: text(row['name']),
    ordinal: Number(text(row['ordinal'])),
    dataType: text(row['dataType']).toLowerCase(),
    columnType,
    // Not in the members of an ENUM or SET, which are quoted at the end of the type.
    unsigned: /^[a-z]+(\([\d,]+\))? unsigned/.test(columnType),
    nullable: text(row['nullable']) === 'YES',
    charset: textOrNull(row['charset']),
    collation: textOrNull(row['collation']),
    generated: extra.includes('VIRTUAL GENERATED') ? 'virtual' : stored,
    invisible: extra.includes('INVISIBLE'),
    autoIncrement: extra.includes('AUTO_INCREMENT'),
  };
}
