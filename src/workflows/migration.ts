import type { MigrationConfig } from '../config/schema.ts';
import type { Applier } from './applier.ts';
import type { BinlogGuard } from './binlog-guard.ts';
import type { ApprovalDesk } from './approval.ts';
import { engineInUse } from './engine-in-use.ts';
import type { FailureSummary } from './failures.ts';
import type { Phase } from './messages.ts';
import type { State } from './state.ts';
import { keep, nowIso } from './state.ts';

/** What every phase gets to work with. */
export interface Migration {
  readonly config: MigrationConfig;
  readonly state: State;
  readonly applier: Applier;
  readonly guard: BinlogGuard;
  readonly desk: ApprovalDesk;
  /** Writes Temporal's Current Details anew. */
  readonly show: () => void;
}

export function milestone({ state, show }: Migration, text: string): void {
  keep(state.milestones, { at: nowIso(), text });
  show();
}

/** Stops going on by itself in `phase` until a person says retry-phase or abort. */
export function park(migration: Migration, phase: Phase, failure: FailureSummary): Phase {
  const { state } = migration;
  state.failure = failure;
  if (mustLoadAnew(migration, failure)) state.startsOver = true;
  state.parkedIn = phase;
  state.retry = false;
  return 'parked';
}

/** Never once the switch has begun: the target is what takes writes then. */
function mustLoadAnew({ config, state }: Migration, { code }: FailureSummary): boolean {
  if (state.switchedAt !== null) return false;
  // A task of Azure DMS does not survive a changed definition, whoever is the first to see it.
  const isChanged = code === 'SCHEMA_CHANGED' && engineInUse(config, state) === 'azure-dms';
  return isChanged || code === 'REPLICATION_LOST';
}
