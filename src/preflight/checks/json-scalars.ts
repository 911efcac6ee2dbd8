import { correctionsOf } from '../../copy/json-document.ts';
import { documentColumns, scalarLetters } from '../../copy/json-scalars.ts';
import type { Column, Table } from '../../mysql/catalog/types.ts';
import { displayName, qualify, quoteIdentifier } from '../../mysql/identifier.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

const SAMPLED_ROWS = 1_000;
const READ_DOCUMENTS = 50;

export const jsonScalarsCheck = check<SourceSide>(
  'json-scalars',
  'JSON scalars can be copied with their type',
  async ({ catalog, source, signal }) => {
    const outcomes = [];
    for (const table of catalog.tables) {
      for (const column of documentColumns(table)) {
        signal.throwIfAborted();
        if (!(await holdsOthers(source.connection, table, column))) continue;
        outcomes.push({
          severity: 'warning' as const,
          object: `${displayName(table.name)}.${column.name}`,
          found:
            'holds JSON scalars of types that no expression makes (such as TINYBLOB): the copy stores them as strings of the same text; changes that are applied keep the type',
          fix: 'nothing, unless something relies on JSON_TYPE of these values',
        });
      }
    }
    return outcomes;
  },
);

/** Looks at documents near the beginning of the table only: the copy counts all of them. */
async function holdsOthers(connection: Connection, table: Table, column: Column): Promise<boolean> {
  const document = quoteIdentifier(column.name);
  const rows = await connection.query(
    `SELECT /*+ SET_VAR(group_concat_max_len = 1048576) */ CAST(d.document AS CHAR) AS document, d.letters
     FROM (SELECT r.${document} AS document, ${scalarLetters(column)} AS letters
           FROM (SELECT ${document} FROM ${qualify(table.name)} LIMIT ${SAMPLED_ROWS}) AS r) AS d
     WHERE d.letters REGEXP '[bs?]' LIMIT ${READ_DOCUMENTS}`,
  );
  return rows.some((row) => {
    const corrections = correctionsOf(String(row['document']), String(row['letters']));
    return corrections !== null && corrections.left > 0;
  });
}
