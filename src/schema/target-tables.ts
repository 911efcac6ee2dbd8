import { isFailure } from '../failures.ts';
import { parseCreateTable, parseForeignKey } from '../mysql/catalog/create-table.ts';
import { readTables } from '../mysql/catalog/tables.ts';
import type { Catalog, Table } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { text } from '../mysql/catalog/text.ts';
import { displayName, qualify, spelledOn } from '../mysql/identifier.ts';
import type { QualifiedName } from '../mysql/identifier.ts';

/** The catalog's schemas as the target spells them. */
export function targetSchemas(catalog: Catalog, lctn: number): string[] {
  return [
    ...new Set(catalog.schemas.map(({ name }) => spelledOn({ schema: name, name }, lctn).schema)),
  ];
}

/** What the target has now; found by the source's names. Only in a session of `inTargetSession`. */
export async function readTargetTables(
  connection: Connection,
  catalog: Catalog,
  lctn: number,
): Promise<(name: QualifiedName) => Table | undefined> {
  const tables = await readTables(connection, targetSchemas(catalog, lctn));
  const byName = new Map(tables.map((table) => [displayName(table.name), table]));
  return (name) => byName.get(displayName(spelledOn(name, lctn)));
}

const NO_SUCH_TABLE = 1146;

/** The keys of one table as the target has it now, by the source's name; null: it is not there. */
export async function readTargetKeys(
  connection: Connection,
  name: QualifiedName,
  lctn: number,
): Promise<TargetKeys | null> {
  const spelled = spelledOn(name, lctn);
  try {
    const [shown] = await connection.query(`SHOW CREATE TABLE ${qualify(spelled)}`);
    const createStatement = text(shown?.['Create Table']);
    const foreignKeys = parseCreateTable(createStatement)
      .elements.filter((element) => element.kind === 'foreign-key')
      .map((element) => parseForeignKey(element, spelled));
    return { createStatement, foreignKeys };
  } catch (error) {
    if (isFailure(error) && error.detail.errno === NO_SUCH_TABLE) return null;
    throw error;
  }
}

export type TargetKeys = Pick<Table, 'createStatement' | 'foreignKeys'>;
