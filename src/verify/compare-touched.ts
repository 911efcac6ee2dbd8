import { setMaxListeners } from 'node:events';
import type { ForeignKey } from '../mysql/catalog/types.ts';
import { openConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { readExecuted } from '../mysql/watermark.ts';
import type { ReplicatedTable } from '../replicate/replicated-tables.ts';
import { ReplicatedTables } from '../replicate/replicated-tables.ts';
import { awaitApplied } from '../replicate/await-applied.ts';
import type { Comparison, VerifyJob, VerifyOptions } from './comparison.ts';
import { catchUpWith } from './comparison.ts';
import { confirm } from './confirm.ts';
import { diffRows } from './diff-rows.ts';
import type { KeyValue, RowForm } from './row-form.ts';
import { rowForm } from './row-form.ts';
import type { Pair } from './session.ts';
import { withPairs } from './session.ts';
import type { Standing } from './settle.ts';
import { settleKeys, settleMultiset } from './settle.ts';
import type { Touched } from './touched-rows.ts';
import { readTouched } from './touched-rows.ts';
import type { Verdict } from './verdict.ts';
import { Findings } from './verdict.ts';

export interface TouchedJob extends Omit<VerifyJob, 'chunkRows'> {
  /** What a former comparison covers: its verdict's position. */
  readonly from: Position;
  /** Up to where; null: up to now. */
  readonly to: Position | null;
  /** The source is fenced at `to`, and the target has applied it: nothing moves, one look decides. */
  readonly atRest: boolean;
}

export interface TouchedVerdict extends Verdict {
  /**
   * Foreign keys below the children of a cascade. Which of their rows a cascade reached is written
   * nowhere; what was missed there is an orphan.
   */
  readonly orphansPossible: readonly ForeignKey[];
}

const KEYS_A_TASK = 1_000;
const CONDITIONS_A_QUERY = 100;

/**
 * Compares what the source touched between two positions: rows by key, tables without a key as a whole,
 * and the children that an unlogged cascade may have changed by their foreign key's value. Memory is
 * bounded by a batch. Nothing touched is equal, with 0 rows: the comparison before covers the rest.
 */
export async function compareTouched(
  job: TouchedJob,
  options: VerifyOptions,
): Promise<TouchedVerdict> {
  const began = performance.now();
  const signal = AbortSignal.any([options.signal]);
  // One listener for each session.
  setMaxListeners(0, signal);
  const findings = new Findings();
  await using control = await openConnection(job.source, { signal });
  const applied = async (position: FilePosition): Promise<unknown> =>
    await awaitApplied(job.target, job.migration, position, { signal, onProgress: () => {} });
  const to = job.to ?? (await readExecuted(control));
  if (!job.atRest) await applied(to);

  const tables = new ReplicatedTables(job.catalog, job.lctn, new Map());
  const compared = new Map<ReplicatedTable, number>();
  const report = (): void =>
    options.onProgress({
      rows: [...compared.values()].reduce((sum, rows) => sum + rows, 0),
      estimatedRows: 0,
      tablesDone: compared.size,
      tables: job.catalog.tables.length,
      differing: findings.differingCount + findings.standing,
      rechecking: findings.rechecking,
    });
  const comparison: Comparison = {
    job,
    signal,
    findings,
    atRest: job.atRest,
    caughtUp: catchUpWith(control, applied),
    onDifference: options.onDifference,
    changed: report,
  };
  const standing: Standing[] = [];
  const cascaded = await withPairs(job, job.parallel, signal, async (pairs) =>
    readTouched(tables, { source: job.source, from: job.from, to, signal }, async (touched) => {
      const tasks = [...makeTasks(touched, job.lctn, compared)];
      await Promise.all(
        pairs.map(async (pair) => {
          for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
            standing.push(...(await task(comparison, pair)));
            report();
          }
        }),
      );
    }),
  );
  await confirm(comparison, control, to, standing);
  const reached = new Set([...cascaded].flatMap(({ child }) => [child, ...child.descendants]));
  return {
    ...findings.toVerdict(
      to,
      [...compared].map(([{ table }, rows]) => ({
        table: displayName(table.name),
        rows,
        chunks: 0,
        digest: '',
      })),
      (performance.now() - began) / 1000,
      job.catalog.tables.length === 0,
    ),
    orphansPossible: [...reached].flatMap(({ cascades }) =>
      cascades.map(({ foreignKey }) => foreignKey),
    ),
  };
}

type Task = (comparison: Comparison, pair: Pair) => Promise<Standing[]>;

function* makeTasks(
  touched: Touched,
  lctn: number,
  compared: Map<ReplicatedTable, number>,
): Generator<Task> {
  const forms = new Map<ReplicatedTable, RowForm>();
  const formOf = (table: ReplicatedTable): RowForm => {
    const form = forms.get(table) ?? rowForm(table.table, lctn);
    forms.set(table, form);
    return form;
  };
  const count = (table: ReplicatedTable, rows: number): void => {
    compared.set(table, (compared.get(table) ?? 0) + rows);
  };
  for (const [table, keys] of touched.keys) {
    count(table, keys.size);
    for (const part of parts([...keys.values()], KEYS_A_TASK)) yield keysTask(formOf(table), part);
  }
  for (const table of touched.whole) {
    yield async (comparison, pair) => {
      const { standing, source } = await settleMultiset(comparison, pair, formOf(table), null);
      count(table, source.rows);
      return standing;
    };
  }
  for (const [table, conditions] of touched.children) {
    for (const part of parts([...conditions], CONDITIONS_A_QUERY)) {
      yield childrenTask(formOf(table), part.join(' OR '));
    }
  }
}

function keysTask(form: RowForm, keys: KeyValue[][]): Task {
  return async (comparison, pair) => await settleKeys(comparison, pair, form, keys);
}

function childrenTask(form: RowForm, where: string): Task {
  return async (comparison, pair) => {
    if (form.key === null) return (await settleMultiset(comparison, pair, form, where)).standing;
    const suspects = await diffRows(pair, form, where, 'any');
    return await settleKeys(
      comparison,
      pair,
      form,
      suspects.map(({ key }) => key),
    );
  };
}

function* parts<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
