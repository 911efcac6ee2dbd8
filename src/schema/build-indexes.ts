import type { Table } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { displayName, qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import { attempt, errnoOf } from './attempt.ts';
import { inParallel } from './in-parallel.ts';
import type { SchemaOptions, TargetSchemaJob } from './job.ts';
import type { KeyChange } from './table-definition.ts';
import { missingKeys } from './table-definition.ts';
import { inTargetSession } from './target-session.ts';
import { readTargetKeys } from './target-tables.ts';

/**
 * Builds every index that the catalog has and the target lacks. Only looks at what is there, so a run
 * that was killed is simply run again. Takes as long as the largest table needs: progress comes at
 * the start and end of a table.
 */
export async function buildIndexes(job: TargetSchemaJob, options: SchemaOptions): Promise<void> {
  const { target, catalog, lctn } = job;
  const todo = await inTargetSession(target, options.signal, async (connection) => {
    const unfinished: Table[] = [];
    for (const table of catalog.tables) {
      const found = await readTargetKeys(connection, table.name, lctn);
      if (found !== null && missingKeys(table, found).length > 0) unfinished.push(table);
    }
    return unfinished;
  });
  todo.sort((a, b) => b.estimatedBytes - a.estimatedBytes);
  const current = new Set<Table>();
  let done = 0;
  const report = () =>
    options.onProgress({
      step: 'indexes',
      done,
      total: todo.length,
      current: [...current].map((table) => table.name),
    });
  report();
  await inParallel(todo, job.parallel, options.signal, async (table, signal) => {
    current.add(table);
    report();
    await inTargetSession(target, signal, (connection) => buildTable(connection, job, table));
    current.delete(table);
    done += 1;
    report();
  });
}

const DUPLICATE_ENTRY = 1062;
const DUPLICATE_KEY_NAME = 1061;
const CANNOT_DROP = 1091;
const ONLINE_LOG_TOO_SMALL = 1799;
const NOT_SUPPORTED = [1845, 1846];

async function buildTable(
  connection: Connection,
  job: TargetSchemaJob,
  table: Table,
): Promise<void> {
  for (let round = 1; ; round += 1) {
    const found = await readTargetKeys(connection, table.name, job.lctn);
    const changes = found === null ? [] : missingKeys(table, found);
    if (changes.length === 0) return;
    try {
      for (const group of inAlters(changes)) {
        await attempt(`build indexes of ${displayName(table.name)}`, () =>
          alter(connection, qualify(spelledOn(table.name, job.lctn)), group),
        );
      }
    } catch (error) {
      // A statement of an earlier run went on after its client was gone, and has just finished.
      const overtaken = [DUPLICATE_KEY_NAME, CANNOT_DROP].includes(errnoOf(error) ?? 0);
      if (!overtaken || round === 5) throw error;
    }
  }
}

/**
 * One statement reads the table once for all of its plain indexes. A functional index adds a hidden
 * column, which InnoDB does in place only alone and before a full-text index is there; full-text and
 * spatial indexes are built one at a time.
 */
function inAlters(changes: readonly KeyChange[]): KeyChange[][] {
  const of = (kind: KeyChange['kind']) => changes.filter((change) => change.kind === kind);
  const singles = [...of('functional'), ...of('spatial'), ...of('fulltext')].map((change) => [
    change,
  ]);
  return [of('plain'), ...singles].filter((group) => group.length > 0);
}

/**
 * With writes going on where that works. Building UNIQUE under writes may trip over rows that only
 * pass through, and its log of writes may overflow: then writers wait.
 */
async function alter(
  connection: Connection,
  table: string,
  group: readonly KeyChange[],
): Promise<void> {
  const actions = group.flatMap(({ element, drop }) => [
    ...(drop ? [`DROP INDEX ${quoteIdentifier(element.name)}`] : []),
    `ADD ${element.text}`,
  ]);
  const statement = `ALTER TABLE ${table} ${actions.join(', ')}`;
  const fallThrough = new Set([...NOT_SUPPORTED, ONLINE_LOG_TOO_SMALL, DUPLICATE_ENTRY]);
  for (const how of [', ALGORITHM=INPLACE, LOCK=NONE', ', ALGORITHM=INPLACE, LOCK=SHARED']) {
    try {
      await connection.execute(statement + how);
      return;
    } catch (error) {
      if (!fallThrough.has(errnoOf(error) ?? 0)) throw error;
    }
  }
  await connection.execute(`${statement}, LOCK=SHARED`);
}
