import { SkyferryFailure } from '../../failures.ts';
import { describeFence } from './describe-fence.ts';
import type { Fence, FenceContext, FenceProof, FenceState, Foreign } from './fence.ts';
import { assertKind } from './fence.ts';
import {
  alreadyReadOnly,
  becomesReadOnly,
  isReadOnly,
  programsThatBypass,
  proveReadOnly,
  whyNotReadOnly,
} from './read-only.ts';
import { RdsParameter } from './rds-parameter.ts';

export interface RdsReadOnlyState {
  readonly kind: 'rds-read-only';
  readonly foreign?: Foreign;
  /** The parameter group whose value is changed. */
  readonly group: string;
  /** What the group said; absent: the engine's own. */
  readonly value?: string;
}

/** What RDS gives the parameter by itself. */
const ENGINES_OWN = '{TrueIfReplica}';
const LOWERED_WITHIN_MS = 180_000;

/**
 * `read_only` of the instance's own parameter group, waited for on the server. Open transactions are
 * refused their commit; sessions stay. Not stopped: RDS's own accounts, and those with CONNECTION_ADMIN.
 */
export class RdsReadOnlyFence implements Fence {
  readonly kind = 'rds-read-only';
  readonly stops = 'applications';
  readonly #context: FenceContext;
  readonly #parameter: RdsParameter;

  constructor(context: FenceContext) {
    if (context.rds === undefined) {
      throw new SkyferryFailure('CONFIG_INVALID', 'read_only is a parameter of RDS instances only');
    }
    this.#context = context;
    this.#parameter = new RdsParameter(context.rds, 'read_only');
  }

  describe(): string {
    return describeFence(this.kind, []);
  }

  async read(signal: AbortSignal = new AbortController().signal): Promise<RdsReadOnlyState> {
    const { foreign: unusable, ...former } = await this.#parameter.read(signal);
    const foreign =
      unusable ??
      ((await isReadOnly(this.#context, signal))
        ? alreadyReadOnly
        : await programsThatBypass(this.#context, signal));
    return { kind: this.kind, ...former, ...(foreign !== undefined && { foreign }) };
  }

  async raise(
    former: FenceState,
    { lockWaitMs, signal }: { lockWaitMs: number; signal: AbortSignal },
  ): Promise<void> {
    assertKind(former, this.kind);
    const deadline = performance.now() + lockWaitMs;
    await this.#parameter.set(former.group, '1', lockWaitMs, signal);
    const left = deadline - performance.now();
    if (await becomesReadOnly(this.#context, true, left, signal)) return;
    throw new SkyferryFailure(
      'NOT_QUIESCENT',
      `the parameter read_only did not arrive within ${lockWaitMs} ms`,
      {
        safe: 'nothing was switched; the parameter is put back',
        next: 'raise cutover.downtimeBudget, or choose account-lock, then approve again',
      },
    );
  }

  async isRaised(signal?: AbortSignal): Promise<boolean> {
    return (await whyNotReadOnly(this.#context, signal)) === null;
  }

  async prove(signal?: AbortSignal): Promise<FenceProof> {
    return { kind: this.kind, accounts: await proveReadOnly(this.#context, signal) };
  }

  async lower(former: FenceState): Promise<void> {
    assertKind(former, this.kind);
    const value = former.value ?? ENGINES_OWN;
    const { signal } = new AbortController();
    await this.#parameter.set(former.group, value, LOWERED_WITHIN_MS, signal);
    if (await becomesReadOnly(this.#context, false, LOWERED_WITHIN_MS)) return;
    throw new SkyferryFailure(
      'NOT_QUIESCENT',
      'the parameter read_only is put back, but has not arrived on the server',
      { safe: 'nothing was switched', retryable: true },
    );
  }

  unfenceCommand(former: FenceState): string {
    assertKind(former, this.kind);
    return this.#parameter.command(former.group, former.value ?? ENGINES_OWN);
  }
}
