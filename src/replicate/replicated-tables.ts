import type { Catalog, ForeignKey, Table } from '../mysql/catalog/types.ts';
import type { QualifiedName } from '../mysql/identifier.ts';
import { displayName, spelledOn } from '../mysql/identifier.ts';
import type { FilePosition } from '../mysql/position.ts';

/** What the applier must know of one table, looked up once. */
export interface ReplicatedTable {
  readonly table: Table;
  /** As the target spells it. */
  readonly target: QualifiedName;
  /** 0-based columns of the row key; null: the table has none. */
  readonly keyColumns: readonly number[] | null;
  /** Beside the row key: its values may wander between rows within one batch. */
  readonly hasSecondaryUnique: boolean;
  /** Foreign keys of other tables (and of itself) that change rows when a row of this one changes. */
  readonly cascades: readonly CascadingKey[];
  /** Every table that a change of this one may reach by cascades. */
  readonly descendants: ReadonlySet<ReplicatedTable>;
  /** Without a row key: changes up to here are in the copied snapshot already. */
  readonly startsAfter: FilePosition | null;
}

export interface CascadingKey {
  readonly foreignKey: ForeignKey;
  readonly parent: ReplicatedTable;
  readonly child: ReplicatedTable;
  /** 0-based columns in the parent. */
  readonly parentColumns: readonly number[];
  /** 0-based columns in the child, in the same order. */
  readonly childColumns: readonly number[];
}

interface MutableTable extends ReplicatedTable {
  readonly cascades: CascadingKey[];
  readonly descendants: Set<ReplicatedTable>;
}

export class ReplicatedTables {
  readonly schemas: ReadonlySet<string>;
  readonly #byName = new Map<string, MutableTable>();
  readonly #outsideParents = new Set<string>();

  /** `snapshots`: where the snapshots of tables without a row key lie, by their display name. */
  constructor(
    catalog: Catalog,
    lowerCaseTableNames: number,
    snapshots: ReadonlyMap<string, FilePosition>,
  ) {
    this.schemas = new Set(catalog.schemas.map(({ name }) => name));
    for (const table of catalog.tables) {
      const name = displayName(table.name);
      this.#byName.set(name, {
        table,
        target: spelledOn(table.name, lowerCaseTableNames),
        keyColumns: table.rowKey === null ? null : columnNumbers(table, table.rowKey.columns),
        hasSecondaryUnique: table.indexes.some(
          (index) => index.unique && index.name !== table.rowKey?.index,
        ),
        cascades: [],
        descendants: new Set(),
        startsAfter: table.rowKey === null ? (snapshots.get(name) ?? null) : null,
      });
    }
    for (const child of this.#byName.values()) this.#linkParents(child);
    for (const table of this.#byName.values()) collectDescendants(table, table.descendants);
  }

  [Symbol.iterator](): IterableIterator<ReplicatedTable> {
    return this.#byName.values();
  }

  find(name: QualifiedName): ReplicatedTable | undefined {
    return this.#byName.get(displayName(name));
  }

  /** Whether a table may have to do with the migration, also under a definition of former days. */
  concern(name: QualifiedName): boolean {
    return this.schemas.has(name.schema) || this.isOutsideParent(displayName(name));
  }

  /** A table outside the migration whose rows cascade into it. */
  isOutsideParent(display: string): boolean {
    return this.#outsideParents.has(display);
  }

  #linkParents(child: MutableTable): void {
    for (const foreignKey of child.table.foreignKeys) {
      if (!acts(foreignKey.onDelete) && !acts(foreignKey.onUpdate)) continue;
      const parent = this.#byName.get(displayName(foreignKey.referencedTable));
      if (parent === undefined) {
        this.#outsideParents.add(displayName(foreignKey.referencedTable));
        continue;
      }
      parent.cascades.push({
        foreignKey,
        parent,
        child,
        parentColumns: columnNumbers(parent.table, foreignKey.referencedColumns),
        childColumns: columnNumbers(child.table, foreignKey.columns),
      });
    }
  }
}

/** InnoDB refuses SET DEFAULT; the other two leave the children alone. */
export function acts(action: ForeignKey['onDelete']): boolean {
  return action === 'CASCADE' || action === 'SET NULL';
}

function collectDescendants(table: ReplicatedTable, found: Set<ReplicatedTable>): void {
  for (const { child } of table.cascades) {
    if (found.has(child)) continue;
    found.add(child);
    collectDescendants(child, found);
  }
}

/** Column names compare without case; a foreign key may spell them otherwise than their table. */
function columnNumbers(table: Table, names: readonly string[]): number[] {
  return names.map((name) => {
    const found = table.columns.findIndex(
      (column) => column.name.toLowerCase() === name.toLowerCase(),
    );
    if (found < 0) throw new RangeError(`no column ${name} in ${displayName(table.name)}`);
    return found;
  });
}
