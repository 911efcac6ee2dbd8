import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** Both values carry whole rows; said because the field's other tools need FULL. */
export const rowMetadataCheck = check<SourceSide>(
  'binlog-row-metadata',
  "the source's binlog_row_metadata is enough",
  ({ source }) => [
    {
      severity: 'ok' as const,
      object: 'source binlog_row_metadata',
      found: `is ${source.variable('binlog_row_metadata') ?? 'unknown to this version'}; MINIMAL is enough: names, signedness and character sets of columns come from the catalog, and a table that changes stops the run`,
    },
  ],
);
