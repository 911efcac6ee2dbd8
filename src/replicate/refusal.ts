import { SkyferryFailure } from '../failures.ts';
import type { QueryEvent } from '../mysql/binlog/events.ts';
import type { FilePosition } from '../mysql/position.ts';
import type { Verdict } from './ddl-gate.ts';

/** The failure for a statement that the gate does not let pass. `before`: the end of the transaction before. */
export function refusal(
  verdict: Verdict,
  event: QueryEvent,
  before: FilePosition,
): SkyferryFailure {
  const where = `binlog ${event.file}, after offset ${before.offset}`;
  const safe = 'everything before it is applied and committed; nothing from it on';
  if (verdict.kind === 'schema-change') {
    return new SkyferryFailure(
      'SCHEMA_CHANGED',
      `${verdict.what} in a migrated schema, or perhaps in one (${where})`,
      { safe, next: 'abort the migration and begin anew with the changed schema' },
    );
  }
  const problem =
    verdict.kind === 'statement-format'
      ? `${verdict.what} was logged as a statement, not as rows`
      : `${verdict.what} is not understood`;
  return new SkyferryFailure('BINLOG_UNSUPPORTED', `${problem} (${where})`, {
    safe,
    next: 'see that no session on the source sets binlog_format, then begin the migration anew',
  });
}
