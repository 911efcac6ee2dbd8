import { displayName } from '../../mysql/identifier.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** Beyond this many, what the service writes down of them no longer fits into one call of its storage. */
const MANY_TABLES = 10_000;
const instead = 'set engine: built-in';

export const dmsTablesCheck = check<SourceSide>(
  'dms-tables',
  'Azure’s migration service takes these databases and tables',
  ({ config, catalog }) => {
    const mixed = config.schemas.filter((schema) => schema !== schema.toLowerCase());
    const keyless = catalog.tables.filter(({ rowKey }) => rowKey === null);
    return [
      ...(mixed.length > 0
        ? [
            {
              severity: 'blocker' as const,
              object: mixed.join(', '),
              found: 'is spelled with capitals: the service leaves such databases out',
              fix: `${instead}: it keeps them in lower case; or move the tables into a database in lower case on the source (RENAME TABLE …)`,
            },
          ]
        : []),
      ...(catalog.tables.length > MANY_TABLES
        ? [
            {
              severity: 'warning' as const,
              object: `${catalog.tables.length} tables`,
              found: `are more than ${MANY_TABLES}: the service likely fails, since a call of its storage takes 4 MB`,
              fix: `move fewer schemas at a time, or ${instead}`,
            },
          ]
        : []),
      ...(keyless.length > 0
        ? [
            {
              severity: 'warning' as const,
              object: keyless.map(({ name }) => displayName(name)).join(', '),
              found:
                'without a key: whether the last changes have arrived cannot be seen row by row, so the lag leaves it out; the comparison at the fence compares it as a whole',
              fix: 'ALTER TABLE … ADD PRIMARY KEY … on the source',
            },
          ]
        : []),
    ];
  },
);
