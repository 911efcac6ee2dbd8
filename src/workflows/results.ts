import type { FilePosition, Position } from '../mysql/position.ts';
import type { Plan } from '../plan/plan.ts';
import type { Finding } from '../preflight/finding.ts';
import type { CloudPlan } from '../prepare/act.ts';
import type { MigrationStatus } from './messages.ts';

export type { Finding };

/**
 * What activities hand back and the report is made of. Plain JSON that stays in the workflow's history:
 * no row values (keys of rows neither), no secrets, no SQL with literals.
 */
export interface PlanResult {
  /** What an approval refers to. */
  readonly hash: string;
  readonly plan: Plan;
}

/** A DNS record whose TTL was lowered for the switch. */
export interface LoweredTtl {
  readonly consumer: string;
  /** Seconds. */
  readonly formerTtl: number;
  /** ISO 8601: from then on no resolver holds the record with its former TTL. */
  readonly readyAt: string;
}

export interface OpenResult {
  /** The checkpoint was there already: what it holds is not done again. */
  readonly resumed: boolean;
}

export interface ProvisionResult {
  /** Where change capture begins. */
  readonly position: Position;
  /** What was changed on the servers, one line each, with the former value. */
  readonly changes: readonly string[];
}

export interface CopyResult {
  readonly rows: number;
  readonly bytes: number;
  /** Of very many the largest alone, as in `VerifyResult`. */
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly seconds: number;
    /** JSON documents with a scalar of a type that no expression makes: their text is right, that type is not. */
    readonly documentsAsText?: number;
  }[];
}

export interface ConvergeResult {
  /** Comparisons of tables that cascades of the source may have reached without a trace. */
  readonly rounds: number;
  readonly repaired: readonly { readonly table: string; readonly rows: number }[];
}

export interface VerifyResult {
  readonly equal: boolean;
  /** Everything up to here is compared. */
  readonly position: Position;
  readonly rows: number;
  readonly seconds: number;
  readonly differing: number;
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly chunks: number;
    /** null: compared by keys. */
    readonly digest: string | null;
    readonly differing: number;
  }[];
}

export interface ResolvedWindow {
  /** ISO 8601 UTC. */
  readonly opensAt: string;
  readonly closesAt: string;
  /** From the activity's clock, so that the workflow's timers do not depend on which clock that is. */
  readonly opensInMs: number;
  readonly closesInMs: number;
}

export interface CutoverResult {
  readonly switchedAt: string;
  /** As measured: from the raised fence to the end of the last switch. */
  readonly writeDowntimeMs: number;
  /** The source's position at which writes had stopped. */
  readonly sourcePosition: FilePosition;
  readonly steps: readonly {
    readonly step: string;
    readonly startedAt: string;
    readonly seconds: number;
    readonly note?: string;
  }[];
  readonly unfenceCommand?: string;
  /** What a person has to look at, one line each. */
  readonly warnings?: readonly string[];
  /** What the engine measured beyond these. */
  readonly evidence?: Readonly<Record<string, unknown>>;
}

/** The truth after a cutover that did not return. */
export interface SettledCutover {
  /** The target may have taken writes: only forward from here. */
  readonly switched: boolean;
  readonly unfenceCommand?: string;
  /** Before the switch: changes may have fired triggers on the target. */
  readonly compareAll?: true;
}

export interface AbortResult {
  /** The switch had been done: nothing was undone. */
  readonly refused: boolean;
  /** What was undone or removed, one line each. */
  readonly undone: readonly string[];
}

/** Answer of the query `report`, and the workflow's result. */
export interface MigrationReport {
  readonly status: MigrationStatus;
  readonly findings: readonly Finding[];
  readonly plan: PlanResult | null;
  readonly clouds: CloudPlan | null;
  readonly provisioning: ProvisionResult | null;
  readonly copy: (CopyResult & { readonly startedAt: string; readonly endedAt: string }) | null;
  readonly verification: (VerifyResult & { readonly at: string }) | null;
  readonly cutover: CutoverResult | null;
  readonly milestones: readonly Milestone[];
  /** Lag over time, thinned out; there from completion on. */
  readonly lag?: readonly LagSample[];
  readonly aborted: AbortResult | null;
}

export interface Milestone {
  readonly at: string;
  readonly text: string;
}

export interface LagSample {
  readonly at: string;
  readonly lagMs: number;
}
