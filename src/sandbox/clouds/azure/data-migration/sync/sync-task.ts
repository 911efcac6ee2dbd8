import { setTimeout as delay } from 'node:timers/promises';
import { isFailure } from '../../../../../failures.ts';
import type { RowChange } from '../../../../../mysql/binlog/events.ts';
import { withConnection } from '../../../../../mysql/connection.ts';
import type { QualifiedName } from '../../../../../mysql/identifier.ts';
import { displayName } from '../../../../../mysql/identifier.ts';
import type { FilePosition } from '../../../../../mysql/position.ts';
import { readBinlogEnd } from '../../../../../mysql/watermark.ts';
import { ReplicatedTables } from '../../../../../replicate/replicated-tables.ts';
import type { SyncInput } from '../schemas.ts';
import { migratesOnline } from '../skus.ts';
import type { DataMigrations, KeptTask } from '../state.ts';
import { activeTasks } from '../state.ts';
import { failAsTold, TaskEnd } from '../task-end.ts';
import { Cutover } from './cutover.ts';
import { followChanges } from './follow.ts';
import { FullLoad } from './full-load.ts';
import type { SyncOutput, TableProgress } from './output.ts';
import type { Selection } from './selection.ts';
import { select } from './selection.ts';

/** Each state of a database can be seen for so long. */
const STEP_MS = 250;

/**
 * `Migrate.MySql.AzureDbForMySql.Sync`: loads the databases, then follows the source until each of them
 * was completed by a command. Resolves then. A lost connection faults the task: nothing is resumed.
 */
export async function runSync(
  kept: DataMigrations,
  task: KeptTask,
  input: SyncInput,
  signal: AbortSignal,
): Promise<void> {
  const output = (task.sync = newOutput(input));
  await kept.save();
  const service = kept.all().find((candidate) => activeTasks(candidate).includes(task));
  if (service === undefined || !migratesOnline(service.sku)) {
    const message = 'Online migrations need a service of the Premium tier.';
    throw new TaskEnd('FailedInputValidation', 'InvalidSku', message);
  }
  const selection = await select(kept.context, input, signal);
  output.sourceVersion = selection.versions.source;
  output.targetVersion = selection.versions.target;
  output.tables = selection.tables.map(({ name }) => newTable(name));
  setStates(output, 'CONFIGURING');
  await delay(STEP_MS, undefined, { signal });
  try {
    const loaded = await load(kept, output, selection);
    await follow(kept, task, output, selection, loaded);
  } catch (error) {
    if (!isFailure(error, 'CONNECTION_LOST')) throw error;
    throw new TaskEnd('Faulted', 'ConnectionsLost', error.message);
  }
  output.endedOn = new Date().toISOString();
}

interface Loaded {
  /** Where the source was before the first and after the last table. */
  readonly from: FilePosition;
  readonly high: FilePosition;
  /** Of tables without a key. */
  readonly snapshots: ReadonlyMap<string, FilePosition>;
}

async function load(
  kept: DataMigrations,
  output: SyncOutput,
  selection: Selection,
): Promise<Loaded> {
  const { signal, tables } = selection;
  setStates(output, 'INITIALIAZING');
  const from = await binlogEnd(selection);
  const snapshots = new Map<string, FilePosition>();
  const loading = await FullLoad.open(selection);
  try {
    for (const table of tables) await loading.empty(table);
    for (const [number, table] of tables.entries()) {
      if (number === tables.length >> 1) {
        failAsTold(kept.fault('DataMigration_FullLoad'), 'Faulted');
      }
      const progress = progressOf(output, table.name);
      progress.state = 'FULL_LOAD';
      progress.loadStartedOn = new Date().toISOString();
      const position = await loading.load(table, (rows) => {
        progress.rows += rows;
      });
      if (position !== null) snapshots.set(displayName(table.name), position);
      progress.loadEndedOn = new Date().toISOString();
      progress.state = 'COMPLETED';
    }
  } finally {
    await loading.close();
  }
  const high = await binlogEnd(selection);
  setStates(output, 'STARTING');
  await delay(STEP_MS, undefined, { signal });
  return { from, high, snapshots };
}

async function follow(
  kept: DataMigrations,
  task: KeptTask,
  output: SyncOutput,
  selection: Selection,
  loaded: Loaded,
): Promise<void> {
  for (const database of output.databases) database.loaded = true;
  setStates(output, 'RUNNING');
  await kept.save();
  const cutover = new Cutover(kept, task, output, () => binlogEnd(selection));
  const selected = new Set(selection.tables.map(({ name }) => displayName(name)));
  const known = new Set(selection.catalog.tables.map(({ name }) => displayName(name)));
  await followChanges({
    ...selection,
    ...loaded,
    tables: new ReplicatedTables(selection.catalog, selection.lctn, loaded.snapshots),
    wants: (name) =>
      !cutover.isComplete(name.schema) &&
      (selected.has(displayName(name)) || !known.has(displayName(name))),
    onIncoming: (_change, { schema }, rows) => {
      const database = output.databases.find(({ name }) => name === schema);
      if (database !== undefined) database.incoming += rows;
    },
    onApplied: (change, name, rows) => count(progressOf(output, name), change, rows),
    onPosition: async ({ at, caughtUp, committedAt }) => {
      failAsTold(kept.fault('DataMigration_Replicate'), 'Faulted');
      const behind = caughtUp || committedAt === null ? 0 : (Date.now() - committedAt) / 1000;
      for (const database of output.databases) database.latency = Math.max(0, Math.round(behind));
      if (caughtUp) setStates(output, 'READY_TO_COMPLETE', 'RUNNING');
      return await cutover.advance(at);
    },
  });
}

function binlogEnd({ source, signal }: Selection): Promise<FilePosition> {
  return withConnection(source, { signal }, readBinlogEnd);
}

function setStates(
  { databases }: SyncOutput,
  state: SyncOutput['databases'][number]['state'],
  only?: SyncOutput['databases'][number]['state'],
): void {
  for (const database of databases) {
    if (only === undefined || database.state === only) database.state = state;
  }
}

function progressOf({ tables }: SyncOutput, { schema, name }: QualifiedName): TableProgress {
  const found = tables.find(({ database, table }) => database === schema && table === name);
  if (found !== undefined) return found;
  throw new RangeError('a table that is not migrated');
}

function count(progress: TableProgress, change: RowChange, rows: number): void {
  progress.applied[change] += rows;
  progress.modifiedOn = new Date().toISOString();
}

function newOutput(input: SyncInput): SyncOutput {
  const startedOn = new Date().toISOString();
  return {
    startedOn,
    endedOn: null,
    sourceServer: input.sourceConnectionInfo.serverName,
    sourceVersion: null,
    targetServer: input.targetConnectionInfo.serverName,
    targetVersion: null,
    databases: input.selectedDatabases.map(({ name = '' }) => ({
      name,
      startedOn,
      endedOn: null,
      state: 'UNDEFINED',
      incoming: 0,
      loaded: false,
      latency: 0,
    })),
    tables: [],
    error: null,
  };
}

function newTable({ schema, name }: QualifiedName): TableProgress {
  return {
    database: schema,
    table: name,
    state: 'BEFORE_LOAD',
    applied: { insert: 0, update: 0, delete: 0 },
    rows: 0,
    loadStartedOn: null,
    loadEndedOn: null,
    modifiedOn: null,
  };
}
