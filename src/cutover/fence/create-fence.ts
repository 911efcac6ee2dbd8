import { AccountLockFence } from './account-lock.ts';
import { AuroraReadOnlyFence } from './aurora-read-only.ts';
import type { Fence, FenceContext, FenceKind } from './fence.ts';
import { LockedReadOnlyFence } from './locked-read-only.ts';
import { RdsReadOnlyFence } from './rds-read-only.ts';
import { SuperReadOnlyFence } from './super-read-only.ts';

/** Opens no connection. */
export function createFence(kind: FenceKind, context: FenceContext): Fence {
  switch (kind) {
    case 'super-read-only':
      return new SuperReadOnlyFence(context);
    case 'account-lock':
      return new AccountLockFence(context);
    case 'rds-read-only':
      return new RdsReadOnlyFence(context);
    case 'account-lock+rds-read-only':
      return new LockedReadOnlyFence(context);
    case 'aurora-read-only':
      return new AuroraReadOnlyFence(context);
  }
}
