import { displayName } from '../../mysql/identifier.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** Cascades are not in the source's binlog; a parent outside the migration would not be there. */
export const foreignKeysCheck = check<SourceSide>(
  'foreign-keys',
  'foreign keys stay within the migrated schemas',
  ({ catalog, config }) => {
    const keys = catalog.tables.flatMap((table) => table.foreignKeys);
    const outside = keys.filter((key) => !config.schemas.includes(key.referencedTable.schema));
    const cascading = keys.filter((key) =>
      [key.onDelete, key.onUpdate].some((action) => action === 'CASCADE' || action === 'SET NULL'),
    );
    return [
      ...outside.map((key) => ({
        severity: 'blocker' as const,
        object: `${displayName(key.table)}.${key.name}`,
        found: `refers to ${displayName(key.referencedTable)}, which is not migrated`,
        fix: `add ${key.referencedTable.schema} to schemas: what refers to each other moves together`,
      })),
      ...(cascading.length > 0
        ? [
            {
              severity: 'info' as const,
              object: cascading.map((key) => `${displayName(key.table)}.${key.name}`).join(', '),
              found:
                "cascades: MySQL does not log the children's changes, so the applier makes them itself",
            },
          ]
        : []),
    ];
  },
);
