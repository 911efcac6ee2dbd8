import type { AccountName, FenceKind } from './fence.ts';
import { displayAccount } from './writers.ts';

/** One line, beginning with the kind, for the plan and the report. */
export function describeFence(kind: FenceKind, accounts: readonly AccountName[]): string {
  const which =
    accounts.length > 0
      ? accounts.map(displayAccount).join(', ')
      : 'every account that may write in the migrated schemas';
  const locked = `${which} cannot log in, wherever else it writes, and its sessions are ended`;
  switch (kind) {
    case 'super-read-only':
      return `${kind}: the whole server refuses writes of everybody`;
    case 'account-lock':
      return `${kind}: ${locked}`;
    case 'rds-read-only':
      return `${kind}: the whole instance refuses writes, by the parameter read_only of its group`;
    case 'account-lock+rds-read-only':
      return `${kind}: ${locked}; then the whole instance refuses writes, by the parameter read_only of its group`;
    case 'aurora-read-only':
      return `${kind}: the writer refuses writes of everybody without CONNECTION_ADMIN, by mysql.rds_set_read_only`;
  }
}
