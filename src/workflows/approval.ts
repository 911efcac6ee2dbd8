import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { durationMs } from '../config/schema.ts';
import type { Approve } from './messages.ts';
import type { State } from './state.ts';
import { keep, nowIso } from './state.ts';

export interface Approval {
  by: string;
  at: string;
  expiresAt: string;
  note?: string;
  planHash?: string;
}

/** Why an approval cannot be taken now; null when it can. Reads the state, changes nothing. */
export function refuseApproval(
  state: State,
  required: boolean,
  { planHash }: Approve,
): string | null {
  if (state.switchedAt !== null || state.phase === 'cutting-over') {
    return 'late: the cutover has begun already';
  }
  if (!required) return 'not needed: this migration is configured without approval';
  if (!state.verifiedOnce) {
    return `early: the migration is in ${state.phase}; approvals are taken from verifying on`;
  }
  if (planHash !== undefined && planHash !== state.plan?.hash) {
    return `the plan hash is not this run's, ${state.plan?.hash ?? 'which has none yet'}: read the plan again`;
  }
  if (state.approval !== null) {
    return `repeated: ${state.approval.by} approved at ${state.approval.at} already`;
  }
  return null;
}

/** Takes an approval and lets it expire. The timer goes with the approval, or with the run. */
export class ApprovalDesk {
  readonly #state: State;
  readonly #expiresAfterMs: number;
  #timer: CancellationScope | null = null;

  constructor(state: State, expiresAfter: string) {
    this.#state = state;
    this.#expiresAfterMs = durationMs(expiresAfter);
    if (state.approval !== null) this.#expireLater(state.approval);
  }

  accept({ by, note, planHash }: Approve): void {
    const approval: Approval = {
      by,
      at: nowIso(),
      expiresAt: new Date(Date.now() + this.#expiresAfterMs).toISOString(),
      ...(note !== undefined && { note }),
      ...(planHash !== undefined && { planHash }),
    };
    this.#state.approval = approval;
    this.#state.rejection = null;
    this.#expireLater(approval);
  }

  /** Rejected, used up by a cutover that was taken back, or expired. */
  reset(): void {
    this.#state.approval = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Once a cutover has begun an approval does not expire under it. */
  hold(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #expireLater(approval: Approval): void {
    const scope = new CancellationScope({ cancellable: true });
    this.#timer = scope;
    const remaining = Math.max(0, Date.parse(approval.expiresAt) - Date.now());
    scope
      .run(async () => {
        await sleep(remaining, { summary: `approval by ${approval.by} expires` });
        if (this.#state.approval !== approval) return;
        this.reset();
        keep(this.#state.milestones, {
          at: nowIso(),
          text: `the approval by ${approval.by} expired`,
        });
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }
}
