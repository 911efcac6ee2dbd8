import { SkyferryFailure } from '../failures.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { displayName, qualify, spelledOn } from '../mysql/identifier.ts';
import { inParallel } from './in-parallel.ts';
import { inTargetSession } from './target-session.ts';

const PARALLEL = 4;

/** Fresh statistics for the optimizer; samples pages, so large tables take no longer than small ones. */
export async function analyzeTables(
  target: Endpoint,
  catalog: Catalog,
  lctn: number,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  await inParallel(catalog.tables, PARALLEL, signal, (table, either) =>
    inTargetSession(target, either, async (connection) => {
      const rows = await connection.query(
        `ANALYZE NO_WRITE_TO_BINLOG TABLE ${qualify(spelledOn(table.name, lctn))}`,
      );
      // ANALYZE reports errors as rows.
      if (rows.some((row) => row['Msg_type'] === 'Error')) {
        throw new SkyferryFailure(
          'STATEMENT_FAILED',
          `analyze table ${displayName(table.name)} failed`,
          {
            next: 'check that the target account may SELECT from and INSERT into it',
          },
        );
      }
    }),
  );
}
