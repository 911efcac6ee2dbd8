import { isFailure } from '../../failures.ts';
import { readBinlogFilters } from '../../mysql/watermark.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** What is not logged is neither followed nor compared at the fence: it would be lost without a word. */
export const binlogFiltersCheck = check<SourceSide>(
  'binlog-filters',
  'the binlog leaves out no schema',
  async ({ source, config }) => {
    const { logged, unlogged } = await readBinlogFilters(source.connection).catch(
      (error: unknown) => {
        // Without a binlog, or without the right to ask: both are said elsewhere.
        if (isFailure(error, 'BINLOG_UNSUPPORTED') || isFailure(error, 'ACCESS_DENIED')) {
          return { logged: [], unlogged: [] };
        }
        throw error;
      },
    );
    const option = logged.length > 0 ? 'binlog-do-db' : 'binlog-ignore-db';
    const named = logged.length > 0 ? logged : unlogged;
    if (named.length === 0) return [];
    const missing = config.schemas.filter((schema) => named.includes(schema) !== logged.length > 0);
    return [
      {
        severity: missing.length > 0 ? ('blocker' as const) : ('warning' as const),
        object: `source ${option}`,
        found:
          missing.length > 0
            ? `keeps the changes of ${missing.join(', ')} out of the binlog`
            : `is ${named.join(', ')}: statements such as TRUNCATE are left out by the session's default database, whatever tables they name`,
        fix: `take ${option} out of my.cnf and restart the source`,
      },
    ];
  },
);
