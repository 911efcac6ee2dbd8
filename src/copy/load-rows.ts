import { qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import type { ColumnTransfer } from './columns.ts';
import { columnTransfer } from './columns.ts';
import { anyTypedScalars, insertDocuments } from './json-insert.ts';
import { documentColumns, holdsAny } from './json-scalars.ts';
import type { Pumped } from './pump.ts';
import { pumpRows } from './pump.ts';
import type { RowsLoad } from './rows-load.ts';
import { DATA_TRUNCATED, fromSource, inexact } from './rows-load.ts';

/**
 * Moves the source's rows that meet a condition (empty: all) into the target's table, within the target's
 * open transaction. COPY_INEXACT when not every row was stored as it was read. `afterLast` runs when the
 * source was read for the last time. A table without a key is read whole, in the caller's snapshot.
 */
export async function loadRows(
  load: RowsLoad,
  condition: string,
  afterLast: () => Promise<void>,
): Promise<Pumped> {
  const { source, table } = load;
  if (documentColumns(table).length === 0) return loadTexts(load, condition, afterLast);
  // Without a key the table is read in a snapshot already. An engine without snapshots may change between
  // the reads here; those changes lie in the binlog before what `afterLast` reads there, and set whole rows.
  const ownSnapshot = table.rowKey !== null;
  if (ownSnapshot) await source.run('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  const loaded = await loadDocuments(load, condition);
  if (ownSnapshot) await source.run('COMMIT');
  await afterLast();
  return loaded;
}

/** Rows whose documents are their texts are loaded as those are; the others are inserted by expressions. */
async function loadDocuments(load: RowsLoad, condition: string): Promise<Pumped> {
  const nothing = async () => {};
  if (!(await anyTypedScalars(load, condition))) return loadTexts(load, condition, nothing);
  const plain = `${condition && `(${condition}) AND `}NOT (${holdsAny(load.table)})`;
  const loaded = await loadTexts(load, plain, nothing, condition);
  const inserted = await insertDocuments(load, condition);
  return { rows: loaded.rows + inserted.rows, bytes: loaded.bytes + inserted.bytes };
}

/** `loadedCondition`: those rows on the target, which has none but these. */
async function loadTexts(
  load: RowsLoad,
  condition: string,
  afterLast: () => Promise<void>,
  loadedCondition = condition,
): Promise<Pumped> {
  const { source, target, table, lctn, pool } = load;
  const transfer = columnTransfer(table);
  // Computing a generated column may round, which the target notes, as the source did: that is no loss.
  const computes = table.columns.some((column) => column.generated !== null);
  await target.run(`SET SESSION sql_notes = ${computes ? 0 : 1}`);
  const result = await pumpRows(
    source,
    `SELECT ${transfer.select} ${fromSource(table)}${condition && ` WHERE ${condition}`}`,
    target,
    `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${qualify(spelledOn(table.name, lctn))}` +
      ` CHARACTER SET binary FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\'` +
      ` LINES TERMINATED BY '\\n' STARTING BY '' ${transfer.load}`,
    pool,
    (rows, bytes) => load.onMoved(rows, bytes),
    afterLast,
  );
  if (result.warnings > 0) await explainWarnings(load, transfer, loadedCondition);
  if (result.affectedRows !== result.rows) {
    throw inexact(load, `${result.rows} rows were read, ${result.affectedRows} were stored`);
  }
  return { rows: result.rows, bytes: result.bytes };
}

/**
 * LOAD DATA LOCAL turns every error into a warning, so a warning means inexact rows, with one exception:
 * an ENUM without a member (value 0) cannot be stored without one. Those are counted.
 */
async function explainWarnings(
  load: RowsLoad,
  transfer: ColumnTransfer,
  condition: string,
): Promise<void> {
  const { target, table, lctn } = load;
  const listed = await target.rows('SHOW WARNINGS');
  // The answer's own count has 16 bits, and the list ends at max_error_count.
  const [total] = await target.rows('SHOW COUNT(*) WARNINGS');
  const codes = [...new Set(listed.map((warning) => warning[1]?.toString() ?? '?'))];
  if (transfer.enums.length > 0 && codes.length === 1 && codes[0] === DATA_TRUNCATED) {
    const zeros = transfer.enums.map((name) => `COALESCE(SUM(${quoteIdentifier(name)} = 0), 0)`);
    const [row] = await target.rows(
      `SELECT ${zeros.join(' + ')} FROM ${qualify(spelledOn(table.name, lctn))}${condition && ` WHERE ${condition}`}`,
    );
    if (Number(row?.[0]?.toString()) === Number(total?.[0]?.toString())) return;
  }
  throw inexact(load, `${total?.[0]?.toString()} warnings (codes ${codes.join(', ')})`);
}
