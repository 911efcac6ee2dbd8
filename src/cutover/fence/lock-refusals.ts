import { SkyferryFailure } from '../../failures.ts';
import type { QualifiedName } from '../../mysql/identifier.ts';
import { displayName } from '../../mysql/identifier.ts';
import type { AccountName, Foreign } from './fence.ts';
import { displayAccount } from './writers.ts';

/** What people are told when accounts cannot be locked, or the lock is not enough. */
export const nothingToLock: Foreign = {
  found: 'no account of the source that is not locked already may write in the migrated schemas',
  fix: 'name the applications in cutover.applicationAccounts, unlock what somebody else locked, and approve again',
};

export function wouldWriteOn(accounts: readonly AccountName[]): Foreign {
  return {
    found: `accounts that may write in the migrated schemas would not be locked: ${accounts.map(displayAccount).join(', ')}`,
    fix: 'take their rights there, or DROP USER one without a name; then approve again. To lock them too, start again with them in cutover.applicationAccounts',
  };
}

export function eventsRun(events: readonly QualifiedName[]): Foreign {
  return {
    found: `events go on writing whatever becomes of their definer's account: ${events.map(displayName).join(', ')}`,
    fix: 'SET GLOBAL event_scheduler = OFF on the source, on RDS in its parameter group; or the fence account-lock+rds-read-only; then approve again',
  };
}

export function administratorIn(users: readonly string[]): Foreign {
  return {
    found: `an administrator that may write is logged in to the source: ${users.join(', ')}`,
    fix: 'log it out, or name it in cutover.applicationAccounts, which locks it too; then approve again',
  };
}

export function sessionsLeft(count: number, withinMs: number): SkyferryFailure {
  return new SkyferryFailure(
    'NOT_QUIESCENT',
    `${count} session(s) of locked accounts did not end within ${withinMs} ms`,
    {
      safe: 'nothing was switched; the accounts are unlocked again',
      next: 'look for large transactions that are rolled back in SHOW PROCESSLIST, then approve again',
    },
  );
}
