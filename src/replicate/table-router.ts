import { SkyferryFailure } from '../failures.ts';
import type { TableMap } from '../mysql/binlog/table-map.ts';
import { displayName } from '../mysql/identifier.ts';
import type { CascadingKey, ReplicatedTable, ReplicatedTables } from './replicated-tables.ts';
import { acts } from './replicated-tables.ts';
import { checkShape } from './table-shape.ts';

export interface Route {
  readonly table: ReplicatedTable;
  readonly deleteCascades: readonly CascadingKey[];
  readonly updateCascades: readonly CascadingKey[];
}

/** Which table a table map's rows belong to, checked against the catalog once. */
export class TableRouter {
  readonly #tables: ReplicatedTables;
  readonly #routes = new WeakMap<TableMap, Route | 'elsewhere'>();

  constructor(tables: ReplicatedTables) {
    this.#tables = tables;
  }

  /** null: not of the migration. SCHEMA_CHANGED: of it, but not as the catalog knows it. */
  find(shape: TableMap): Route | null {
    let route = this.#routes.get(shape);
    if (route === undefined) {
      route = this.#resolve(shape);
      this.#routes.set(shape, route);
    }
    return route === 'elsewhere' ? null : route;
  }

  #resolve(shape: TableMap): Route | 'elsewhere' {
    const table = this.#tables.find(shape.name);
    if (table !== undefined) {
      checkShape(shape, table);
      return {
        table,
        deleteCascades: table.cascades.filter(({ foreignKey }) => acts(foreignKey.onDelete)),
        updateCascades: table.cascades.filter(({ foreignKey }) => acts(foreignKey.onUpdate)),
      };
    }
    const name = displayName(shape.name);
    if (this.#tables.schemas.has(shape.name.schema)) {
      throw new SkyferryFailure(
        'SCHEMA_CHANGED',
        `${name} did not exist when the schema was read`,
        {
          safe: 'nothing from this change on was applied',
        },
      );
    }
    if (this.#tables.isOutsideParent(name)) {
      throw new SkyferryFailure(
        'BINLOG_UNSUPPORTED',
        `${name} is not migrated, but its changes cascade into the migration`,
        { next: `migrate the schema ${shape.name.schema} too, or drop the foreign key` },
      );
    }
    return 'elsewhere';
  }
}
