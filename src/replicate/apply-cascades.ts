import type { Connection } from '../mysql/connection.ts';
import { qualify, quoteIdentifier } from '../mysql/identifier.ts';
import type { FilePosition } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import type { Cascade, KeyText } from './cascade.ts';
import { childPredicate, readableKey, sameKey, toKeyText, valueLiteral } from './key-text.ts';
import type { CascadingKey, ReplicatedTable } from './replicated-tables.ts';
import { acts } from './replicated-tables.ts';

/** Keys in one IN list. */
const LIST_LENGTH = 500;

/**
 * Does on the target what foreign keys did on the source without logging it, within the open
 * transaction. Needs foreign_key_checks=0, time_zone '+00:00' and a sql_mode that takes zero dates.
 * `converged`: the target is exact at this point, so a key that is already taken is a fault and not
 * a later version of the row. `onStep`: after each statement. Returns the rows changed.
 */
export async function applyCascades(
  target: Connection,
  cascades: readonly Cascade[],
  converged: (at: FilePosition) => boolean,
  onStep: () => void = () => {},
): Promise<number> {
  let rows = 0;
  for (const group of groupDeletes(cascades)) {
    const [first] = group;
    if (first === undefined) continue;
    const run = new CascadeRun(target, first.at, converged(first.at), onStep);
    if (first.to === null)
      await run.parentsDeleted(
        first.key,
        group.map(({ from }) => from),
      );
    else await run.parentChanged(first.key, first.from, first.to);
    rows += run.rows;
  }
  return rows;
}

/** Deletes that follow one another for the same key go together; changes of a key one by one. */
function groupDeletes(cascades: readonly Cascade[]): Cascade[][] {
  const groups: Cascade[][] = [];
  for (const cascade of cascades) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    // A table without a row key may begin between two of them: so only cascades of one event go together.
    const together =
      last !== undefined &&
      last.to === null &&
      cascade.to === null &&
      last.key === cascade.key &&
      compareFilePositions(last.at, cascade.at) === 0 &&
      (group?.length ?? 0) < LIST_LENGTH;
    if (together) group?.push(cascade);
    else groups.push([cascade]);
  }
  return groups;
}

class CascadeRun {
  rows = 0;
  readonly #target: Connection;
  readonly #at: FilePosition;
  readonly #converged: boolean;
  readonly #onStep: () => void;
  /** By foreign key: what was followed already, because keys may form circles. */
  readonly #followed = new Map<CascadingKey, Set<string>>();

  constructor(target: Connection, at: FilePosition, converged: boolean, onStep: () => void) {
    this.#target = target;
    this.#at = at;
    this.#converged = converged;
    this.#onStep = onStep;
  }

  async parentsDeleted(key: CascadingKey, parents: readonly KeyText[]): Promise<void> {
    if (!acts(key.foreignKey.onDelete)) return;
    const predicates = this.#newPredicates(key, parents);
    for (let i = 0; i < predicates.length; i += LIST_LENGTH) {
      const where = predicates.slice(i, i + LIST_LENGTH).join(' OR ');
      if (key.foreignKey.onDelete === 'CASCADE') await this.#deleteRows(key.child, where);
      else await this.#setColumns(key.child, where, key.childColumns.map(toNull));
    }
  }

  async parentChanged(key: CascadingKey, from: KeyText, to: KeyText): Promise<void> {
    if (!acts(key.foreignKey.onUpdate)) return;
    const [where] = this.#newPredicates(key, [from]);
    if (where === undefined) return;
    const assignments = key.childColumns.map((column, i) =>
      key.foreignKey.onUpdate === 'CASCADE' ? { column, text: to[i] ?? null } : toNull(column),
    );
    await this.#setColumns(key.child, where, assignments);
  }

  async #deleteRows(table: ReplicatedTable, where: string): Promise<void> {
    for (const key of table.cascades) {
      if (!acts(key.foreignKey.onDelete)) continue;
      await this.parentsDeleted(key, await this.#readKeys(table, where, key.parentColumns));
    }
    await this.#execute(table, `DELETE FROM ${qualify(table.target)} WHERE ${where}`);
  }

  async #setColumns(
    table: ReplicatedTable,
    where: string,
    assignments: readonly Assignment[],
  ): Promise<void> {
    for (const key of table.cascades) {
      if (!acts(key.foreignKey.onUpdate)) continue;
      if (!key.parentColumns.some((c) => assignments.some(({ column }) => column === c))) continue;
      for (const from of await this.#readKeys(table, where, key.parentColumns)) {
        const to = key.parentColumns.map((c, i) => {
          const assignment = assignments.find(({ column }) => column === c);
          return assignment === undefined ? (from[i] ?? null) : assignment.text;
        });
        if (!sameKey(from, to)) await this.parentChanged(key, from, to);
      }
    }
    await this.#update(table, where, assignments);
  }

  /**
   * The source's cascade leaves ON UPDATE CURRENT_TIMESTAMP columns alone, a plain UPDATE does not. Before
   * the copy has converged a row's later version may have the new key already: it stays, the old goes.
   */
  async #update(
    table: ReplicatedTable,
    where: string,
    assignments: readonly Assignment[],
  ): Promise<void> {
    const { columns } = table.table;
    const set = assignments.map(({ column, text }) => {
      const definition = columns[column]!;
      return `${quoteIdentifier(definition.name)} = ${valueLiteral(definition, text)}`;
    });
    const kept = columns.filter(
      ({ dataType, generated }, i) =>
        (dataType === 'timestamp' || dataType === 'datetime') &&
        generated === null &&
        !assignments.some(({ column }) => column === i),
    );
    for (const { name } of kept) set.push(`${quoteIdentifier(name)} = ${quoteIdentifier(name)}`);
    const mayCollide =
      !this.#converged && assignments.some(({ column }) => table.keyColumns?.includes(column));
    const name = qualify(table.target);
    const ignore = mayCollide ? ' IGNORE' : '';
    await this.#execute(table, `UPDATE${ignore} ${name} SET ${set.join(', ')} WHERE ${where}`);
    if (!mayCollide) return;
    // New values may equal the old ones by collation ('abc', 'ABC'): such rows are no leftovers.
    const renamed = assignments.map(({ column, text }) => {
      const definition = columns[column]!;
      return `${quoteIdentifier(definition.name)} <=> ${valueLiteral(definition, text)}`;
    });
    await this.#execute(
      table,
      `DELETE FROM ${name} WHERE (${where}) AND NOT (${renamed.join(' AND ')})`,
    );
  }

  /** A table without a row key was copied as of a position of its own: before it nothing is to be done. */
  async #execute(table: ReplicatedTable, sql: string): Promise<void> {
    if (table.startsAfter !== null && compareFilePositions(this.#at, table.startsAfter) <= 0)
      return;
    const { affectedRows } = await this.#target.execute(sql);
    this.rows += affectedRows;
    this.#onStep();
  }

  /** Conditions on the child for parents that were not followed before. NULL refers to nothing. */
  #newPredicates(key: CascadingKey, parents: readonly KeyText[]): string[] {
    let followed = this.#followed.get(key);
    if (followed === undefined) this.#followed.set(key, (followed = new Set()));
    const predicates: string[] = [];
    for (const parent of parents) {
      if (parent.includes(null)) continue;
      const predicate = childPredicate(key, parent);
      if (followed.has(predicate)) continue;
      followed.add(predicate);
      predicates.push(predicate);
    }
    return predicates;
  }

  /** The distinct values of a table's referenced columns, byte for byte. */
  async #readKeys(
    table: ReplicatedTable,
    where: string,
    columns: readonly number[],
  ): Promise<KeyText[]> {
    const definitions = columns.map((column) => table.table.columns[column]!);
    const select = definitions.map((column, i) => `${readableKey(column)} AS k${i}`).join(', ');
    const rows = await this.#target.query(
      `SELECT ${select} FROM ${qualify(table.target)} WHERE ${where} FOR UPDATE`,
    );
    this.#onStep();
    const distinct = new Map<string, KeyText>();
    for (const row of rows) {
      const texts = definitions.map((column, i) => toKeyText(column, row[`k${i}`]));
      distinct.set(texts.map((text) => text?.toString('hex') ?? '-').join(), texts);
    }
    return [...distinct.values()];
  }
}

interface Assignment {
  readonly column: number;
  readonly text: Buffer | null;
}

function toNull(column: number): Assignment {
  return { column, text: null };
}
