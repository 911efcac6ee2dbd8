import type { Connection } from '../connection.ts';
import { displayName, qualify } from '../identifier.ts';
import { readColumns } from './columns.ts';
import {
  isEnforced,
  isKey,
  parseCreateTable,
  parseForeignKey,
  parseIndex,
} from './create-table.ts';
import { chooseRowKey } from './row-key.ts';
import { byKey, text, textOrNull } from './text.ts';
import type { Column, Table } from './types.ts';

/** Keys and constraints come from SHOW CREATE TABLE, which shows them to SELECT alone. */
export async function readTables(
  connection: Connection,
  schemas: readonly string[],
): Promise<Table[]> {
  if (schemas.length === 0) return [];
  const columns = await readColumns(connection, schemas);
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA AS tableSchema, TABLE_NAME AS tableName, ENGINE AS engine, TABLE_COLLATION AS collation,
            TABLE_ROWS AS estimatedRows, DATA_LENGTH + INDEX_LENGTH AS estimatedBytes
       FROM information_schema.TABLES
      WHERE TABLE_SCHEMA IN (${schemas.map(() => '?').join(', ')}) AND TABLE_TYPE = 'BASE TABLE'`,
    schemas,
  );
  const tables: Table[] = [];
  for (const row of rows) {
    const name = { schema: text(row['tableSchema']), name: text(row['tableName']) };
    const [shown] = await connection.query(`SHOW CREATE TABLE ${qualify(name)}`);
    const described = describeTable(
      name,
      columns.get(displayName(name)) ?? [],
      text(shown?.['Create Table']),
    );
    tables.push({
      ...described,
      engine: text(row['engine']),
      collation: textOrNull(row['collation']) ?? '',
      estimatedRows: Number(text(row['estimatedRows'])),
      estimatedBytes: Number(text(row['estimatedBytes'])),
    });
  }
  return tables.sort(byKey((table) => `${table.name.schema}\0${table.name.name}`));
}

function describeTable(
  name: Table['name'],
  columns: readonly Column[],
  createStatement: string,
): Omit<Table, 'engine' | 'collation' | 'estimatedRows' | 'estimatedBytes'> {
  const parsed = parseCreateTable(createStatement);
  const indexes = parsed.elements.filter(isKey).map(parseIndex);
  const foreignKeys = parsed.elements.filter((element) => element.kind === 'foreign-key');
  const checks = parsed.elements.filter((element) => element.kind === 'check');
  const counts = columns.some((column) => column.autoIncrement);
  return {
    name,
    columns,
    indexes,
    foreignKeys: foreignKeys.map((element) => parseForeignKey(element, name)),
    checks: checks.map((element) => ({ name: element.name, enforced: isEnforced(element) })),
    rowKey: chooseRowKey(indexes, columns),
    partitioned: parsed.partitioned,
    // SHOW CREATE TABLE leaves a counter of 1 out.
    autoIncrement: counts ? (parsed.autoIncrement ?? '1') : null,
    createStatement,
  };
}
