import { ParameterGroups, isDefaultGroup } from '../../clouds/aws/parameter-groups.ts';
import { RdsApi } from '../../clouds/aws/rds.ts';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import { describeFence } from './describe-fence.ts';
import type { Fence, FenceContext, FenceProof, FenceState, Foreign, RdsInstance } from './fence.ts';
import { assertKind } from './fence.ts';
import {
  alreadyReadOnly,
  becomesReadOnly,
  isReadOnly,
  programsThatBypass,
  proveReadOnly,
  whyNotReadOnly,
} from './read-only.ts';
import { pause } from './statement.ts';

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
const ASK_AGAIN_MS = 500;

/**
 * `read_only` of the instance's own parameter group, waited for on the server. Open transactions are
 * refused their commit; sessions stay. Not stopped: RDS's own accounts, and those with CONNECTION_ADMIN.
 */
export class RdsReadOnlyFence implements Fence {
  readonly kind = 'rds-read-only';
  readonly stops = 'applications';
  readonly #context: FenceContext;
  readonly #rds: RdsInstance;

  constructor(context: FenceContext) {
    if (context.rds === undefined) {
      throw new SkyferryFailure('CONFIG_INVALID', 'read_only is a parameter of RDS instances only');
    }
    this.#context = context;
    this.#rds = context.rds;
  }

  describe(): string {
    return describeFence(this.kind, []);
  }

  async read(signal: AbortSignal = new AbortController().signal): Promise<RdsReadOnlyState> {
    const { instance } = this.#rds;
    const api = new RdsApi(await this.#rds.client());
    const server = { scope: 'instance', id: instance } as const;
    const view = await api.view(server, signal);
    if (view === null)
      throw new SkyferryFailure('CLOUD_FAILED', `there is no instance ${instance}`);
    const group = view.parameterGroup;
    const users = await api.membersOf(group, server, signal);
    const others = users.filter((id) => id !== instance);
    const value = (await (await this.#groups()).parameters(group, ['read_only'], signal)).get(
      'read_only',
    )?.value;
    const foreign = isDefaultGroup(group)
      ? notOurs(`${instance} has the default parameter group ${group}, which cannot be changed`)
      : others.length > 0
        ? notOurs(
            `the parameter group ${group} is used by ${others.join(', ')} too, which would be stopped`,
          )
        : view.applyStatus !== 'in-sync'
          ? notOurs(`the parameter group ${group} is not in effect yet (${view.applyStatus})`)
          : (await isReadOnly(this.#context, signal))
            ? alreadyReadOnly
            : await programsThatBypass(this.#context, signal);
    return {
      kind: this.kind,
      group,
      ...(typeof value === 'string' && { value }),
      ...(foreign !== undefined && { foreign }),
    };
  }

  async raise(
    former: FenceState,
    { lockWaitMs, signal }: { lockWaitMs: number; signal: AbortSignal },
  ): Promise<void> {
    assertKind(former, this.kind);
    const deadline = performance.now() + lockWaitMs;
    await this.#set(former.group, '1', lockWaitMs, signal);
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

  /** The group keeps it. */
  async persist(): Promise<void> {}

  async lower(former: FenceState): Promise<void> {
    assertKind(former, this.kind);
    const value = former.value ?? ENGINES_OWN;
    await this.#set(former.group, value, LOWERED_WITHIN_MS, new AbortController().signal);
    if (await becomesReadOnly(this.#context, false, LOWERED_WITHIN_MS)) return;
    throw new SkyferryFailure(
      'NOT_QUIESCENT',
      'the parameter read_only is put back, but has not arrived on the server',
      { safe: 'nothing was switched', retryable: true },
    );
  }

  unfenceCommand(former: FenceState): string {
    assertKind(former, this.kind);
    return `aws rds modify-db-parameter-group --db-parameter-group-name ${former.group} --parameters 'ParameterName=read_only,ParameterValue=${former.value ?? ENGINES_OWN},ApplyMethod=immediate'`;
  }

  async #groups(): Promise<ParameterGroups> {
    return new ParameterGroups(await this.#rds.client(), 'instance');
  }

  /** RDS refuses while it still applies another value to the group. */
  async #set(group: string, value: string, withinMs: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + withinMs;
    const parameter = {
      name: 'read_only',
      value,
      applyType: 'dynamic',
      modifiable: true,
    } as const;
    const groups = await this.#groups();
    for (;;) {
      try {
        await groups.set(group, [parameter], signal);
        return;
      } catch (error) {
        const again = isFailure(error) && error.retryable && performance.now() < deadline;
        if (!again) throw error;
        await pause(ASK_AGAIN_MS, signal);
      }
    }
  }
}

function notOurs(found: string): Foreign {
  return {
    found,
    fix: 'give the instance a parameter group of its own and reboot it, or choose account-lock',
  };
}
