import { displayName, qualify } from '../../mysql/identifier.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** Without transactions there is no moment at which a copy and a position agree. */
export const storageEnginesCheck = check<SourceSide>(
  'storage-engines',
  'every table is InnoDB',
  ({ catalog }) =>
    catalog.tables
      .filter((table) => table.engine.toLowerCase() !== 'innodb')
      .map((table) => ({
        severity: 'blocker' as const,
        object: displayName(table.name),
        found: `is ${table.engine}: it has no transactions, so no exact copy under writes`,
        fix: `on the source: ALTER TABLE ${qualify(table.name)} ENGINE = InnoDB; or leave its schema out`,
      })),
);
