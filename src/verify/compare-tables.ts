import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { cutTable, rowsPerChunk } from '../copy/cut.ts';
import { boundColumns, rangeCondition } from '../copy/key-range.ts';
import { isFailure } from '../failures.ts';
import { openConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import { readExecuted } from '../mysql/watermark.ts';
import { awaitApplied } from '../replicate/await-applied.ts';
import type { Comparison, VerifyJob, VerifyOptions } from './comparison.ts';
import { catchUpWith } from './comparison.ts';
import { confirm } from './confirm.ts';
import { diffRows } from './diff-rows.ts';
import { digestRows } from './digest.ts';
import type { RowForm } from './row-form.ts';
import { describeKey, rowForm } from './row-form.ts';
import type { Pair } from './session.ts';
import { withPair } from './session.ts';
import type { Standing } from './settle.ts';
import { settleKeys, settleMultiset } from './settle.ts';
import type { Verdict } from './verdict.ts';
import { Findings } from './verdict.ts';

/** Beyond so many differences they are counted, but not looked at again. */
const RECHECKED_DIFFERENCES = 10_000;

/**
 * Compares every row of every table, under writes: chunk by chunk by SHA-256 over the bytes of the text
 * protocol. Chunks that differ are read again row by row, and rows that differ again until they are
 * equal, in motion, or seen to stand still and differ. `position` of the verdict: all that the source
 * had committed up to there is compared. Needs a running applier. Resolves with the differences; throws
 * for other reasons only.
 */
export async function compareTables(job: VerifyJob, options: VerifyOptions): Promise<Verdict> {
  const began = performance.now();
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  // One listener for each session.
  setMaxListeners(0, signal);
  const findings = new Findings();
  // Between two questions to it hours may pass.
  const session = ['SET SESSION wait_timeout = 28800'];
  await using control = await openConnection(job.source, { signal, session });
  const forms = job.catalog.tables.map((table) => rowForm(table, job.lctn));
  const missing = await missingTables(job, forms, signal);
  for (const form of missing) findings.differ(form.table.name, '(the table)', 'missing');
  const tables = forms.filter((form) => !missing.includes(form)).map(newTableRun);

  const applied = async (position: { file: string; offset: number }): Promise<unknown> =>
    await awaitApplied(job.target, job.migration, position, { signal, onProgress: () => {} });
  const position = await readExecuted(control);
  await applied(position);

  const report = (): void =>
    options.onProgress({
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      estimatedRows: forms.reduce((sum, { table }) => sum + table.estimatedRows, 0),
      tablesDone: tables.filter(isDone).length,
      tables: forms.length,
      differing: findings.differingCount + findings.standing,
      rechecking: findings.rechecking,
    });
  const comparison: Comparison = {
    job,
    signal,
    findings,
    atRest: false,
    caughtUp: catchUpWith(control, applied),
    onDifference: options.onDifference,
    changed: report,
  };

  const standing = await withPair(job, signal, async (cutting) => {
    const pieces = cutAll(cutting.source, tables, job.chunkRows);
    const found: Standing[] = [];
    const work = async (): Promise<void> => {
      await withPair(job, signal, async (pair) => {
        for await (const piece of shared(pieces)) {
          found.push(...(await comparePiece(comparison, pair, piece)));
          piece.run.compared++;
          report();
        }
      });
    };
    await Promise.all(
      Array.from({ length: Math.max(1, job.parallel) }, async () => {
        await work().catch((error: unknown) => {
          failed.abort(error);
          throw error;
        });
      }),
    );
    return found;
  });
  await confirm(comparison, control, position, standing);
  return findings.toVerdict(
    position,
    [...tables.map(tableVerdict), ...missing.map(absentTable)],
    (performance.now() - began) / 1000,
    forms.length === 0,
  );
}

interface TableRun {
  readonly form: RowForm;
  rows: number;
  chunks: number;
  compared: number;
  cut: boolean;
  /** Of the source, in the order of the chunks. */
  readonly digests: string[];
}

interface Piece {
  readonly run: TableRun;
  readonly index: number;
  /** null: the whole of a table without a key. */
  readonly where: string | null;
}

const newTableRun = (form: RowForm): TableRun => ({
  form,
  rows: 0,
  chunks: 0,
  compared: 0,
  cut: false,
  digests: [],
});
const isDone = (run: TableRun): boolean => run.cut && run.compared === run.chunks;

async function* cutAll(
  source: RawConnection,
  runs: readonly TableRun[],
  chunkRows: number,
): AsyncGenerator<Piece> {
  for (const run of runs) {
    if (run.form.key === null) {
      yield { run, index: run.chunks++, where: null };
    } else {
      const { table } = run.form;
      const columns = boundColumns(table);
      for await (const ranges of cutTable(source, table, rowsPerChunk(table, chunkRows), null)) {
        for (const range of ranges) {
          const where = rangeCondition(columns, range);
          yield { run, index: run.chunks++, where: where === '' ? '1 = 1' : where };
        }
      }
    }
    run.cut = true;
  }
}

/** Many consumers, each gets another piece; the end of one consumer does not end the others. */
async function* shared<T>(pieces: AsyncGenerator<T>): AsyncGenerator<T> {
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return;
    yield next.value;
  }
}

async function comparePiece(
  comparison: Comparison,
  pair: Pair,
  { run, index, where }: Piece,
): Promise<Standing[]> {
  const { form } = run;
  if (where === null) {
    const { standing, source } = await settleMultiset(comparison, pair, form, null);
    run.rows += source.rows;
    run.digests[index] = source.digest;
    return standing;
  }
  const select = `SELECT ${form.columns} FROM`;
  const [source, target] = await Promise.all(
    (['source', 'target'] as const).map(
      async (side) =>
        await digestRows(
          pair[side],
          `${select} ${form.from[side]} WHERE ${where} ORDER BY ${form.orderBy}`,
        ),
    ),
  );
  run.rows += source?.rows ?? 0;
  run.digests[index] = source?.digest ?? '';
  if (source?.digest === target?.digest && source?.rows === target?.rows) return [];
  const suspects = await diffRows(pair, form, where);
  if (comparison.findings.standing >= RECHECKED_DIFFERENCES) {
    for (const { key, kind } of suspects) {
      comparison.findings.differ(form.table.name, describeKey(form, key), kind);
      comparison.onDifference?.({ table: form.table, key, confirmed: true });
    }
    return [];
  }
  return await settleKeys(
    comparison,
    pair,
    form,
    suspects.map(({ key }) => key),
  );
}

const NO_SUCH_TABLE = new Set([1049, 1146]);

async function missingTables(
  job: VerifyJob,
  forms: readonly RowForm[],
  signal: AbortSignal,
): Promise<RowForm[]> {
  await using target = await openConnection(job.target, { signal });
  const missing: RowForm[] = [];
  for (const form of forms) {
    await target.query(`SELECT 1 FROM ${form.name.target} LIMIT 0`).catch((error: unknown) => {
      if (!isFailure(error) || !NO_SUCH_TABLE.has(error.detail.errno ?? 0)) throw error;
      missing.push(form);
    });
  }
  return missing;
}

function tableVerdict({ form, rows, chunks, digests }: TableRun) {
  const whole =
    form.key === null
      ? (digests[0] ?? '')
      : createHash('sha256').update(digests.join('\n')).digest('hex');
  return { table: displayName(form.table.name), rows, chunks, digest: whole };
}

function absentTable({ table }: RowForm) {
  return { table: displayName(table.name), rows: 0, chunks: 0, digest: '' };
}
