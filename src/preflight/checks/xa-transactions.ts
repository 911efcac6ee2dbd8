import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** What becomes of a prepared transaction stands later in the binlog, perhaps after a restart: its rows are refused. */
export const xaTransactionsCheck = check<SourceSide>(
  'xa-transactions',
  'no transaction was committed in two phases since the source began',
  async ({ source }) => {
    const [row] = await source.connection.query<{ Value: string }>(
      "SHOW GLOBAL STATUS WHERE Variable_name = 'Com_xa_prepare'",
    );
    const prepared = Number(row?.Value ?? 0);
    if (prepared === 0) return [];
    return [
      {
        severity: 'warning' as const,
        object: 'source XA PREPARE',
        found: `was used ${prepared} times since the server began: the first prepared transaction with rows of the migrated schemas stops the migration (BINLOG_UNSUPPORTED)`,
        fix: 'find out which application does (XA, JTA); where it writes to the migrated schemas let it commit in one phase until the switch',
      },
    ];
  },
);
