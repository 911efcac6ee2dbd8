import { AccountLockFence } from './account-lock.ts';
import type { AccountLockState } from './account-lock.ts';
import { describeFence } from './describe-fence.ts';
import type { Fence, FenceContext, FenceProof, FenceState, Foreign } from './fence.ts';
import { assertKind } from './fence.ts';
import { isReadOnly } from './read-only.ts';
import { RdsReadOnlyFence } from './rds-read-only.ts';
import type { RdsReadOnlyState } from './rds-read-only.ts';
import { couldWrite } from './prove.ts';

export interface LockedReadOnlyState {
  readonly kind: 'account-lock+rds-read-only';
  readonly foreign?: Foreign;
  readonly lock: AccountLockState;
  readonly readOnly: RdsReadOnlyState;
}

/**
 * Both, in this order, and undone in reverse: a read-only server refuses its administrator to lock and to
 * unlock accounts. Events are stopped by the second.
 */
export class LockedReadOnlyFence implements Fence {
  readonly kind = 'account-lock+rds-read-only';
  readonly stops = 'applications';
  readonly #context: FenceContext;
  readonly #lock: AccountLockFence;
  readonly #readOnly: RdsReadOnlyFence;

  constructor(context: FenceContext) {
    this.#context = context;
    this.#lock = new AccountLockFence(context, { events: 'stopped otherwise' });
    this.#readOnly = new RdsReadOnlyFence(context);
  }

  describe(): string {
    return describeFence(this.kind, this.#context.applicationAccounts);
  }

  async read(signal?: AbortSignal): Promise<LockedReadOnlyState> {
    const readOnly = await this.#readOnly.read(signal);
    const lock = await this.#lock.read(signal);
    const foreign = readOnly.foreign ?? lock.foreign;
    return { kind: this.kind, lock, readOnly, ...(foreign !== undefined && { foreign }) };
  }

  async raise(
    former: FenceState,
    { lockWaitMs, signal }: { lockWaitMs: number; signal: AbortSignal },
  ): Promise<void> {
    assertKind(former, this.kind);
    const deadline = performance.now() + lockWaitMs;
    // Of an attempt that was killed: then the accounts are locked already, and could not be any more.
    if (!(await isReadOnly(this.#context, signal)))
      await this.#lock.raise(former.lock, { lockWaitMs, signal });
    const left = deadline - performance.now();
    await this.#readOnly.raise(former.readOnly, { lockWaitMs: left, signal });
  }

  async isRaised(signal?: AbortSignal): Promise<boolean> {
    return (await this.#lock.isRaised(signal)) && (await this.#readOnly.isRaised(signal));
  }

  async prove(signal?: AbortSignal): Promise<FenceProof> {
    if (!(await this.#readOnly.isRaised(signal))) throw couldWrite('read_only is not ON');
    const { accounts } = await this.#lock.prove(signal);
    return { kind: this.kind, accounts };
  }

  async lower(former: FenceState): Promise<void> {
    assertKind(former, this.kind);
    await this.#readOnly.lower(former.readOnly);
    await this.#lock.lower(former.lock);
  }

  unfenceCommand(former: FenceState): string {
    assertKind(former, this.kind);
    return `${this.#readOnly.unfenceCommand(former.readOnly)}; once @@GLOBAL.read_only is 0: ${this.#lock.unfenceCommand(former.lock)}`;
  }
}
