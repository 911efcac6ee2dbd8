import type { Engine } from '../config/schema.ts';
import type { Address } from '../mysql/endpoint.ts';
import type { MessageRecord, Phase, PhaseRecord } from './messages.ts';
import type { Approval } from './approval.ts';
import type { FailureSummary } from './failures.ts';
import type { BinlogWatch } from '../prepare/source/guard-binlog.ts';
import type { Preparation } from './preparation.ts';
import type {
  AbortResult,
  CutoverResult,
  Finding,
  LagSample,
  LoweredTtl,
  MigrationReport,
  Milestone,
  PlanResult,
  ProvisionResult,
} from './results.ts';

/**
 * All that a migration knows, as plain JSON: continue-as-new hands it to the next run as it is. Times
 * are ISO 8601 UTC by the workflow's clock.
 */
export interface State {
  startedAt: string;
  phase: Phase;
  /** The phase that `retry-phase` takes up again. */
  parkedIn: Phase | null;
  failure: FailureSummary | null;
  /** The background applier's failure; it is started again once this is cleared. */
  applierFailure: FailureSummary | null;
  paused: boolean;
  retry: boolean;
  abort: { by: string; reason?: string; dropTarget: boolean; deleteCreated: boolean } | null;
  approval: Approval | null;
  rejection: { by: string; at: string; reason?: string } | null;
  /** Approvals are taken from the first verification on. */
  verifiedOnce: boolean;
  /** The rows are copied and exact, indexes are built: changes are applied in the background. */
  loaded: boolean;
  window: { opensAt: string; closesAt: string; open: boolean; closesAtHere: string } | null;
  lagMs: number | null;
  /** A cutover did not return and what became of it could not be found out yet. */
  unsettled: boolean;
  switchedAt: string | null;
  unfenceCommand: string | null;
  history: PhaseRecord[];
  messages: MessageRecord[];
  milestones: Milestone[];
  /** Where the servers are, for those that a cloud names; null: as the configuration says. */
  servers: { source: Address; target: Address } | null;
  /** The one in use, where the plan or a person decided it; null: as the configuration says. */
  engine: Engine | null;
  /** What is on the target came to nothing: it is emptied before anything else. */
  startsOver: boolean;
  /** Of servers in clouds; null: nothing to prepare, or not looked yet. */
  preparation: Preparation | null;
  /** Of the source's binlog, as last told; null: nothing yet. */
  binlog: BinlogWatch | null;
  /** Lowered before the fence, put back at the end. */
  ttls: LoweredTtl[] | null;
  /** null: not looked up yet. */
  searchAttributes: string[] | null;
  findings: Finding[];
  plan: PlanResult | null;
  provisioning: ProvisionResult | null;
  copy: MigrationReport['copy'];
  verification: MigrationReport['verification'];
  cutover: CutoverResult | null;
  lag: LagSample[] | null;
  aborted: AbortResult | null;
}

export function newState(now: string): State {
  return {
    startedAt: now,
    phase: 'preflight',
    parkedIn: null,
    failure: null,
    applierFailure: null,
    paused: false,
    retry: false,
    abort: null,
    approval: null,
    rejection: null,
    verifiedOnce: false,
    loaded: false,
    window: null,
    lagMs: null,
    unsettled: false,
    switchedAt: null,
    unfenceCommand: null,
    history: [{ phase: 'preflight', startedAt: now }],
    messages: [],
    milestones: [],
    servers: null,
    engine: null,
    startsOver: false,
    preparation: null,
    binlog: null,
    ttls: null,
    searchAttributes: null,
    findings: [],
    plan: null,
    provisioning: null,
    copy: null,
    verification: null,
    cutover: null,
    lag: null,
    aborted: null,
  };
}

export const isOver = (phase: Phase): boolean =>
  phase === 'completed' || phase === 'aborted' || phase === 'failed';

/** Lists that a person or a flapping lag can lengthen keep their last entries only. */
const KEPT = 200;

export function keep<T>(list: T[], entry: T): void {
  list.push(entry);
  if (list.length > KEPT) list.splice(0, list.length - KEPT);
}

export const nowIso = (): string => new Date().toISOString();
