import { acquireEpoch } from '../checkpoint/epoch.ts';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure, isFailure } from '../failures.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { withConnection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { ReplicatedTables } from '../replicate/replicated-tables.ts';
import { compareTables } from '../verify/compare-tables.ts';
import type { KeyValue } from '../verify/row-form.ts';
import type { LiveProgress } from '../workflows/messages.ts';
import type { ReconcileJob } from './job.ts';
import { observeCascades } from './observed-cascades.ts';
import { recopyTable } from './recopy-table.ts';
import { repairRows } from './repair-rows.ts';
import type { CascadeRoot } from './tables-at-risk.ts';
import { everyRoot, tablesAtRisk } from './tables-at-risk.ts';
import { whileApplying } from './while-applying.ts';

export interface ReconcileOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Pick<LiveProgress, 'apply' | 'copy' | 'verify' | 'step'>) => void;
}

export interface Reconciled {
  /** Comparisons that were made; 0: no cascade happened that could have gone wrong. */
  readonly rounds: number;
  /** By table: rows that were copied again, a row twice when it was in two rounds. */
  readonly repaired: readonly { readonly table: string; readonly rows: number }[];
}

const ROUNDS = 20;
/** More than these are no stragglers of cascades. */
const MOST_ROWS = 200_000;

/**
 * Makes the tables exact in which cascades that the source does not log may have gone wrong while the
 * copy converged. To be called once the position has reached the high watermark, before unique keys are
 * built. Compares those tables under writes, copies what differs again, and so on until nothing
 * differs; a round leaves only what a cascade did to its rows within the moments of their repair. May be
 * repeated after a kill at any moment. ROWS_DIFFER when rows still differ after the last round.
 */
export async function reconcile(job: ReconcileJob, options: ReconcileOptions): Promise<Reconciled> {
  const { signal, onProgress } = options;
  if (tablesAtRisk(job.catalog, everyRoot(job.catalog)).length === 0) return result(0, new Map());
  const tables = new ReplicatedTables(job.catalog, job.lctn, new Map());
  const repaired = new Map<string, number>();
  const observed: CascadeRoot[] = [];
  let from: Position = job.start;
  for (let round = 1; ; round++) {
    const { high } = await readState(job, signal);
    if (high === null) return result(round - 1, repaired);
    observed.push(...(await cascadesBetween(job, tables, { from, to: high }, options)));
    const suspects = tablesAtRisk(job.catalog, observed);
    if (suspects.length === 0) return result(round - 1, repaired);

    onProgress({ step: `comparing what cascades may have missed, round ${round}` });
    const differing = await compareWhileApplying(job, suspects, options);
    const isLast = round === ROUNDS;
    if (differing.rows === 0 || (isLast && differing.confirmed === 0)) {
      return result(round, repaired);
    }
    if (isLast) throw stillDiffer(differing.confirmed);
    onProgress({ step: `repairing ${differing.rows} rows` });
    from = await repair(job, differing, repaired, options);
  }
}

/** Everything that is possible, when the binlog that tells is gone: the applier needed it no more. */
async function cascadesBetween(
  job: ReconcileJob,
  tables: ReplicatedTables,
  { from, to }: { from: Position; to: FilePosition },
  { signal, onProgress }: ReconcileOptions,
): Promise<CascadeRoot[]> {
  try {
    return await observeCascades(
      tables,
      { source: job.source, from, to },
      {
        signal,
        onProgress: ({ file, offset }) =>
          onProgress({
            step: `looking for cascades, ${file}:${offset} of ${to.file}:${to.offset}`,
          }),
      },
    );
  } catch (error) {
    if (isFailure(error, 'BINLOG_PURGED')) return everyRoot(job.catalog);
    throw error;
  }
}

/** Rows that differ, by table; null: a table without a key. */
interface Differing {
  readonly tables: Map<Table, (readonly KeyValue[])[] | null>;
  rows: number;
  /** Those that the source did not touch meanwhile. */
  confirmed: number;
}

async function compareWhileApplying(
  job: ReconcileJob,
  suspects: readonly Table[],
  { signal, onProgress }: ReconcileOptions,
): Promise<Differing> {
  const differing: Differing = { tables: new Map(), rows: 0, confirmed: 0 };
  const verdict = await whileApplying(
    job,
    { signal, onProgress: (apply) => onProgress({ apply }) },
    async (either) =>
      await compareTables(
        { ...job, catalog: { ...job.catalog, tables: suspects } },
        {
          signal: either,
          onProgress: (verify) => onProgress({ verify }),
          onDifference: ({ table, key, confirmed }) => {
            differing.rows++;
            if (confirmed) differing.confirmed++;
            if (differing.rows > MOST_ROWS) throw tooMany();
            if (key === null) differing.tables.set(table, null);
            else {
              const keys = differing.tables.get(table) ?? [];
              keys.push(key);
              differing.tables.set(table, keys);
            }
          },
        },
      ),
  );
  // A table that is not there at all has no rows to repair.
  if (verdict.differingCount !== differing.confirmed) throw stillDiffer(verdict.differingCount);
  return differing;
}

/** Returns the committed position: what is copied again is as of a later moment. */
async function repair(
  job: ReconcileJob,
  differing: Differing,
  repaired: Map<string, number>,
  { signal, onProgress }: ReconcileOptions,
): Promise<Position> {
  const holder = await withConnection(job.target, { signal }, async (target) => ({
    name: job.migration,
    epoch: await acquireEpoch(target, job.migration),
  }));
  const { position } = await readState(job, signal);
  const count = (table: Table, rows: number): void => {
    const name = displayName(table.name);
    repaired.set(name, (repaired.get(name) ?? 0) + rows);
  };
  let left = differing.rows;
  for (const [table, keys] of differing.tables) {
    if (keys === null) continue;
    await repairRows(job, holder, table, keys, {
      signal,
      onProgress: (rows) => onProgress({ step: `repairing ${(left -= rows)} rows` }),
    });
    count(table, keys.length);
  }
  // Last, because these take the epoch anew, and their snapshots should be after the rows above them.
  for (const [table, keys] of differing.tables) {
    if (keys !== null) continue;
    onProgress({ step: `copying ${displayName(table.name)} again` });
    count(
      table,
      await recopyTable(job, table, { signal, onProgress: (copy) => onProgress({ copy }) }),
    );
  }
  return position;
}

async function readState(
  { target, migration }: ReconcileJob,
  signal: AbortSignal,
): Promise<{ position: Position; high: FilePosition | null }> {
  const { position, high } = await withConnection(target, { signal }, (c) =>
    requireCheckpoint(c, migration),
  );
  if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
  return { position, high };
}

function result(rounds: number, repaired: ReadonlyMap<string, number>): Reconciled {
  return { rounds, repaired: [...repaired].map(([table, rows]) => ({ table, rows })) };
}

function stillDiffer(rows: number): SkyferryFailure {
  return new SkyferryFailure(
    'ROWS_DIFFER',
    `${rows} rows that foreign keys cascade to differ, and copying them again did not make them equal`,
    {
      safe: 'the source takes writes as before; nothing reads the target yet',
      next: 'make sure that nobody else writes to the target, then retry the phase',
    },
  );
}

function tooMany(): SkyferryFailure {
  return new SkyferryFailure(
    'ROWS_DIFFER',
    `more than ${MOST_ROWS} rows differ in tables that foreign keys cascade to`,
    {
      safe: 'the source takes writes as before; nothing reads the target yet',
      next: 'make sure that nobody else writes to the target, then begin the migration anew',
    },
  );
}
