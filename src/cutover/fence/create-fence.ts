import { SkyferryFailure } from '../../failures.ts';
import { AccountLockFence } from './account-lock.ts';
import type { Fence, FenceContext, FenceKind } from './fence.ts';
import { SuperReadOnlyFence } from './super-read-only.ts';

/** Opens no connection. */
export function createFence(kind: FenceKind, context: FenceContext): Fence {
  switch (kind) {
    case 'super-read-only':
      return new SuperReadOnlyFence(context);
    case 'account-lock':
      return new AccountLockFence(context);
    default:
      throw new SkyferryFailure('CONFIG_INVALID', `this version cannot fence by ${kind} yet`);
  }
}
