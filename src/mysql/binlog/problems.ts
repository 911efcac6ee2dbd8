import { SkyferryFailure } from '../../failures.ts';
import type { FilePosition } from '../position.ts';

/** What was read is not what a server writes. `at`: where the event before ended. */
export function corrupt(what: string, at?: FilePosition): SkyferryFailure {
  return new SkyferryFailure('BINLOG_CORRUPT', `${what}${after(at)}`, {
    safe: 'nothing from this event on was applied',
    next: "check the source's binlog with mysqlbinlog --verify-binlog-checksum, then retry",
  });
}

export function unsupported(what: string, at?: FilePosition): SkyferryFailure {
  return new SkyferryFailure('BINLOG_UNSUPPORTED', `${what}${after(at)}`, {
    safe: 'nothing from this event on was applied',
    next: 'see that the source logs no more of it, then abort the migration and begin anew',
  });
}

function after(at: FilePosition | undefined): string {
  return at === undefined ? '' : ` (binlog ${at.file}, after offset ${at.offset})`;
}
