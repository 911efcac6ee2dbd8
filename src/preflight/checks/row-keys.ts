import { displayName } from '../../mysql/identifier.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

export const rowKeysCheck = check<SourceSide>(
  'row-keys',
  'every table has a key that tells its rows apart',
  ({ catalog }) =>
    catalog.tables
      .filter((table) => table.rowKey === null)
      .map((table) => ({
        severity: 'warning' as const,
        object: displayName(table.name),
        found:
          'has no key: copied in one piece under a READ lock of milliseconds, its changes applied one by one, and compared as a whole',
        fix: 'give it a primary key on the source if it is large or written to often',
      })),
);
