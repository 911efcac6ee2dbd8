import { displayName } from '../../mysql/identifier.ts';
import { check } from '../finding.ts';

/** A collation orders keys and decides equality: the target must have the very same. */
export const collationsCheck = check(
  'collations',
  'the target knows every collation',
  async ({ catalog, target }) => {
    const rows = await target.connection.query<{ n: string }>(
      'SELECT collation_name AS n FROM information_schema.collations',
    );
    const known = new Set(rows.map(({ n }) => sameNow(n)));
    const users = new Map<string, string>();
    for (const schema of catalog.schemas) users.set(schema.collation, schema.name);
    for (const table of catalog.tables) {
      users.set(table.collation, displayName(table.name));
      for (const { collation, name } of table.columns) {
        if (collation !== null) users.set(collation, `${displayName(table.name)}.${name}`);
      }
    }
    const { views, routines, triggers, events } = catalog;
    for (const { collationConnection, name } of [...views, ...routines, ...triggers, ...events]) {
      users.set(collationConnection, displayName(name));
    }
    return [...users]
      .filter(([collation]) => !known.has(sameNow(collation)))
      .map(([collation, object]) => ({
        severity: 'blocker' as const,
        object,
        found: `uses ${collation}, which the target does not have`,
        fix: 'convert it on the source, or choose a target version that has the collation',
      }));
  },
);

/** `utf8_general_ci` is called `utf8mb3_general_ci` since 8.0.30, and is understood by both names. */
function sameNow(collation: string): string {
  return collation.replace(/^utf8_/, 'utf8mb3_');
}
