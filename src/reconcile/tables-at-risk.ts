import type { Catalog, ForeignKey, Table } from '../mysql/catalog/types.ts';
import { displayName } from '../mysql/identifier.ts';
import { acts } from '../replicate/replicated-tables.ts';

/** What a foreign key did, when a row of its parent was deleted or its referenced columns changed. */
export interface CascadeRoot {
  readonly foreignKey: ForeignKey;
  readonly change: 'delete' | 'update';
}

/** Every cascade that a logged change of a row could start in this catalog. */
export function everyRoot({ tables }: Catalog): CascadeRoot[] {
  return tables.flatMap(({ foreignKeys }) =>
    foreignKeys.flatMap((foreignKey): CascadeRoot[] => [
      { foreignKey, change: 'delete' },
      { foreignKey, change: 'update' },
    ]),
  );
}

/**
 * Tables whose rows can be wrong on the target after such cascades were made there while the copy was
 * converging. Two ways lead there:
 *
 * - A cascade reaches them through another cascade's rows. Those rows are looked up on the target, and
 *   may be missing there, or lie under another key already, because they were copied later.
 * - ON UPDATE CASCADE gave a row, without a trace, a key that another parent had before. Copied with
 *   that key, the row is taken for a child of the former parent, and no event of its own mends it.
 */
export function tablesAtRisk(catalog: Catalog, roots: readonly CascadeRoot[]): Table[] {
  const children = new Map<string, ForeignKey[]>();
  for (const { foreignKeys } of catalog.tables) {
    for (const foreignKey of foreignKeys) {
      const parent = displayName(foreignKey.referencedTable);
      children.set(parent, [...(children.get(parent) ?? []), foreignKey]);
    }
  }
  const atRisk = new Set<string>();
  const followed = new Set<string>();
  const follow = ({ foreignKey, change }: CascadeRoot, level: number): void => {
    const action = change === 'delete' ? foreignKey.onDelete : foreignKey.onUpdate;
    if (!acts(action)) return;
    const child = displayName(foreignKey.table);
    const rekeyed = change === 'update' && action === 'CASCADE';
    if (level > 1 || rekeyed) atRisk.add(child);
    const effect = change === 'delete' && action === 'CASCADE' ? 'delete' : 'update';
    const step = JSON.stringify([child, foreignKey.name, change]);
    if (followed.has(step)) return;
    followed.add(step);
    for (const next of children.get(child) ?? []) {
      if (effect === 'update' && !overlap(foreignKey.columns, next.referencedColumns)) continue;
      follow({ foreignKey: next, change: effect }, level + 1);
    }
  };
  for (const root of roots) follow(root, 1);
  return catalog.tables.filter(({ name }) => atRisk.has(displayName(name)));
}

/** Column names compare without case. */
function overlap(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(a.map((name) => name.toLowerCase()));
  return b.some((name) => names.has(name.toLowerCase()));
}
