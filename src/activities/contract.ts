import type { LocatedConfig } from '../config/located.ts';
import type { Engine, MigrationConfig, WindowConfig } from '../config/schema.ts';
import type { BinlogWatch } from '../prepare/source/guard-binlog.ts';
import type {
  CloudPlan,
  BegunAct,
  CompletedAct,
  Formers,
  RunningResource,
} from '../prepare/act.ts';
import type { Address } from '../mysql/endpoint.ts';
import type { Position } from '../mysql/position.ts';
import type { PreflightResult } from '../preflight/run.ts';
import type {
  AbortResult,
  ConvergeResult,
  CopyResult,
  CutoverResult,
  LagSample,
  LoweredTtl,
  OpenResult,
  PlanResult,
  ProvisionResult,
  ResolvedWindow,
  SettledCutover,
  VerifyResult,
} from '../workflows/results.ts';

export interface OfMigration {
  readonly config: LocatedConfig;
}

export interface BeforePlan extends OfMigration {
  /** The one in use; null: `auto`, which is still to choose, whatever stands in `config`. */
  readonly engine: Engine | null;
}

/** Before both servers are found or made. */
export interface OfClouds {
  readonly config: MigrationConfig;
}

export interface OfAct extends OfClouds {
  readonly addresses: { readonly source: Address | null; readonly target: Address | null };
  readonly act: string;
  readonly formers: Formers;
}

/**
 * What the workflow may ask for. Each may run again after a kill at any moment and carries on from what
 * the checkpoint on the target says. Failures are ApplicationFailures whose type is a FailureCode.
 */
export interface Activities {
  /** Changes nothing. `engine`: the one in use; null: as written. */
  surveyClouds: (input: OfClouds & { readonly engine: Engine | null }) => Promise<CloudPlan>;
  /** Looks first: whatever is killed or sent again, there is one resource and one operation. */
  beginAct: (input: OfAct) => Promise<BegunAct>;
  completeAct: (input: OfAct & { readonly begun: BegunAct }) => Promise<CompletedAct>;
  /** Says what was created and what was put back, one line each, and what goes on costing money. */
  undoClouds: (
    input: OfClouds & Pick<OfAct, 'formers' | 'addresses'> & { readonly deleteCreated: boolean },
  ) => Promise<{ readonly undone: string[]; readonly running: RunningResource[] }>;
  lowerTtls: (input: OfMigration) => Promise<LoweredTtl[]>;
  /** null: what stands beside the records counts. */
  restoreTtls: (
    input: OfMigration & { readonly ttls: readonly LoweredTtl[] | null },
  ) => Promise<string[]>;
  /** Returns when people have to be told something else of the source's binlog than `known`. */
  guardBinlog: (
    input: OfMigration & { readonly etaHours: number; readonly known: BinlogWatch | null },
  ) => Promise<BinlogWatch>;
  /** Takes the migration's name on the target, or finds it taken by the same configuration. */
  openMigration: (input: OfMigration) => Promise<OpenResult>;
  /** Ends what replicates, drops what was loaded, forgets the position; says so, one line each. */
  emptyTarget: (input: OfMigration) => Promise<string[]>;
  /** Changes nothing. */
  runPreflight: (input: BeforePlan) => Promise<PreflightResult>;
  /** Changes nothing but the plan's hash in the checkpoint. */
  makePlan: (
    input: BeforePlan & {
      readonly findings: PreflightResult['findings'];
      readonly engines: PreflightResult['engines'];
    },
  ) => Promise<PlanResult>;
  /** Parameters raised, former values remembered; schemas; the starting position. */
  provision: (input: OfMigration) => Promise<ProvisionResult>;
  createTables: (input: OfMigration) => Promise<{ tables: number }>;
  copyTables: (input: OfMigration) => Promise<CopyResult>;
  /** Applies changes until every copied chunk is exact; copies again what unlogged cascades missed. */
  converge: (input: OfMigration) => Promise<ConvergeResult>;
  buildIndexes: (input: OfMigration) => Promise<void>;
  createViewsAndRoutines: (input: OfMigration) => Promise<{ notes: string[] }>;
  /** Runs until it is cancelled. */
  applyChanges: (input: OfMigration) => Promise<void>;
  /** Returns when lag was below the threshold for the configured number of samples. */
  awaitLag: (input: OfMigration) => Promise<{ lagMs: number }>;
  /** Returns when lag was above the threshold for the configured number of samples. */
  watchLag: (input: OfMigration) => Promise<{ lagMs: number }>;
  readLag: (input: OfMigration) => Promise<{ lagMs: number }>;
  /** Keys that differ go into the checkpoint, never into the result. */
  verifyTables: (input: OfMigration) => Promise<VerifyResult>;
  resolveWindow: (input: { readonly window: WindowConfig }) => Promise<ResolvedWindow>;
  /** Undoes itself on any failure before the switch; after it, can be called again to finish. */
  cutOver: (input: OfMigration & { readonly verifiedAt: Position }) => Promise<CutoverResult>;
  /** After a cutover that did not return: un-fences unless the switch has begun. */
  settleCutover: (input: OfMigration) => Promise<SettledCutover>;
  completeMigration: (input: OfMigration) => Promise<{ notes: string[]; lag: LagSample[] }>;
  abortMigration: (input: OfMigration & { readonly dropTarget: boolean }) => Promise<AbortResult>;
  /** Names of the search attributes that are registered in the namespace; [] when that cannot be seen. */
  listSearchAttributes: () => Promise<string[]>;
}
