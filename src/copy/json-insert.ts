import { SkyferryFailure } from '../failures.ts';
import { qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import { loadExpression, selectExpression, transferredColumns } from './columns.ts';
import { corrected, correctionsOf, quoted } from './json-document.ts';
import { documentColumns, holdsAny, scalarLetters } from './json-scalars.ts';
import type { TextRow } from './json-stream.ts';
import { inBatches } from './json-stream.ts';
import type { Pumped } from './pump.ts';
import type { RowsLoad } from './rows-load.ts';
import { DATA_TRUNCATED, fromSource, inexact } from './rows-load.ts';

/** Whether any row holds a document that is more than its text; reads all of them when none does. */
export async function anyTypedScalars(load: RowsLoad, condition: string): Promise<boolean> {
  const [row] = await load.source.rows(`SELECT 1 ${typedRows(load, condition)} LIMIT 1`);
  return row !== undefined;
}

/**
 * Copies the rows with such documents. They are inserted because they could not be set afterwards: an
 * UPDATE of the DOUBLE 1.5 to the DECIMAL 1.50 changes nothing, as the server finds the documents equal.
 */
export async function insertDocuments(load: RowsLoad, condition: string): Promise<Pumped> {
  const { source, target, table, lctn } = load;
  const columns = transferredColumns(table);
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const verb = mayHaveMoved(load) ? 'REPLACE' : 'INSERT';
  const into = `${verb} INTO ${qualify(spelledOn(table.name, lctn))} (${names}) VALUES `;
  const letters = documentColumns(table).map(scalarLetters);
  let rows = 0;
  let bytes = 0;
  await inBatches(
    source,
    `SELECT ${[...columns.map(selectExpression), ...letters].join(', ')} ${typedRows(load, condition)}`,
    async (batch) => {
      const before = bytes;
      const values = batch.map((row) => {
        bytes += row.slice(0, columns.length).reduce((n, field) => n + (field?.length ?? 0), 0);
        return rowOf(load, row);
      });
      await checkPacket(load, values);
      const { affectedRows, warnings } = await target.run(into + values.join(', '));
      if (warnings > 0) await explainWarnings(load);
      if (affectedRows !== batch.length && !mayHaveMoved(load)) {
        throw inexact(load, `${batch.length} rows were read, ${affectedRows} were stored`);
      }
      rows += batch.length;
      load.onMoved(batch.length, bytes - before);
    },
  );
  return { rows, bytes };
}

function typedRows({ table }: RowsLoad, condition: string): string {
  return `${fromSource(table)} WHERE ${condition && `(${condition}) AND `}(${holdsAny(table)})`;
}

/** Other engines have no snapshots: a row that was loaded already may be read once more, in a later state. */
function mayHaveMoved({ table }: RowsLoad): boolean {
  return table.rowKey !== null && table.engine.toLowerCase() !== 'innodb';
}

function rowOf(load: RowsLoad, row: TextRow): string {
  const columns = transferredColumns(load.table);
  let document = columns.length;
  const values = columns.map((column, i) => {
    const letters = column.dataType === 'json' ? row[document++] : null;
    const field = row[i] ?? null;
    if (field === null) return 'NULL';
    if (column.dataType === 'json') {
      return documentOf(load, field.toString(), letters?.toString('latin1') ?? '');
    }
    // What a field of LOAD DATA is: a binary string.
    const bytes = `_binary x'${field.toString('hex')}'`;
    return loadExpression(column, bytes) ?? bytes;
  });
  return `(${values.join(', ')})`;
}

function documentOf(load: RowsLoad, text: string, letters: string): string {
  const parsed = `CAST(${quoted(text)} AS JSON)`;
  const corrections = correctionsOf(text, letters);
  if (corrections === null || corrections.left > 0) load.onLeft?.(1);
  return corrections === null || corrections.corrections.length === 0
    ? parsed
    : corrected(parsed, corrections);
}

const SMALL_BATCH = 1_000_000;

/** Long rows are streamed by LOAD DATA; a statement has to fit into one packet. */
async function checkPacket(load: RowsLoad, values: readonly string[]): Promise<void> {
  const bytes = values.reduce((n, value) => n + Buffer.byteLength(value) + 2, 10_000);
  if (bytes < SMALL_BATCH) return;
  const [row] = await load.target.rows('SELECT @@session.max_allowed_packet');
  if (bytes < Number(row?.[0]?.toString())) return;
  throw new SkyferryFailure(
    'COPY_INEXACT',
    `${load.what}: a row with typed JSON scalars needs a statement of ${bytes} bytes, more than the target's max_allowed_packet`,
    {
      safe: 'what was loaded is rolled back; the source was only read',
      next: `SET GLOBAL max_allowed_packet = ${Math.min(2 ** 30, 2 ** Math.ceil(Math.log2(bytes)))} on the target, then retry the phase`,
    },
  );
}

/** As with LOAD DATA, a warning means an inexact row, except for an ENUM's value without a member. */
async function explainWarnings(load: RowsLoad): Promise<void> {
  const listed = await load.target.rows('SHOW WARNINGS');
  const codes = [...new Set(listed.map((warning) => warning[1]?.toString() ?? '?'))];
  const enums = load.table.columns.some(({ dataType }) => dataType === 'enum');
  if (enums && codes.every((code) => code === DATA_TRUNCATED)) return;
  throw inexact(load, `warnings while documents were inserted (codes ${codes.join(', ')})`);
}
