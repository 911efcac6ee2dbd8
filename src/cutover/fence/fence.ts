import type { RDSClient } from '@aws-sdk/client-rds';
import type { MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { AccountLockState } from './account-lock.ts';
import type { AuroraReadOnlyState } from './aurora-read-only.ts';
import type { LockedReadOnlyState } from './locked-read-only.ts';
import type { RdsReadOnlyState } from './rds-read-only.ts';
import type { SuperReadOnlyState } from './super-read-only.ts';

export type FenceKind = Exclude<MigrationConfig['cutover']['fence'], 'auto'>;

/**
 * What the fence is going to change, as it was before: plain JSON, kept in the journal from before the
 * fence is raised until it is lowered by a fence of the same kind.
 */
export type FenceState =
  | SuperReadOnlyState
  | AccountLockState
  | RdsReadOnlyState
  | LockedReadOnlyState
  | AuroraReadOnlyState;

/** Why a fence is not ours to raise: whoever made it so, lowering ours would not make it so again. */
export interface Foreign {
  readonly found: string;
  readonly fix: string;
}

export interface FenceProof {
  readonly kind: FenceKind;
  readonly accounts: readonly ProvedAccount[];
}

export interface ProvedAccount {
  /** user@host */
  readonly account: string;
  /** How it was proved that it cannot write. */
  readonly by: string;
}

/**
 * Stops the writes of applications on a server, and lets them write again exactly as before. Safe to
 * repeat, each of them; a new instance carries on where a killed one stopped.
 */
export interface Fence {
  readonly kind: FenceKind;
  /**
   * Whom it stops. Behind a fence for applications alone the position may still move: others go on
   * writing in other schemas.
   */
  readonly stops: 'every write' | 'applications';
  /** One line, for the plan and the report. */
  describe(): string;
  /** What is to be put back, and whether somebody else has fenced already. */
  read(signal?: AbortSignal): Promise<FenceState>;
  /**
   * What takes its time and stops no application yet: it is no downtime. `former` must have been stored
   * before; `lower` takes it back.
   */
  approach?(former: FenceState, options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * Throws NOT_QUIESCENT when it is not granted within `lockWaitMs`, or the server's failure: then it may
   * still come up, and the caller has to call `lower`, unless somebody else owns the fence by then.
   * `former` must have been stored before.
   */
  raise(
    former: FenceState,
    options: { readonly lockWaitMs: number; readonly signal: AbortSignal },
  ): Promise<void>;
  isRaised(signal?: AbortSignal): Promise<boolean>;
  /** By writes that touch no row; changes nothing. Throws NOT_QUIESCENT naming who could still write. */
  prove(signal?: AbortSignal): Promise<FenceProof>;
  /**
   * Outlives a restart of the server from now on. Needs a raised fence. Absent where it does by itself, or
   * nobody can make it: each switch looks again before it is done.
   */
  persist?(signal: AbortSignal): Promise<void>;
  /** Exactly as it was. Needs no raised fence. */
  lower(former: FenceState): Promise<void>;
  /** For a person, when nobody else may decide any more. */
  unfenceCommand(former: FenceState): string;
}

/** What every kind works with. */
export interface FenceContext {
  /** On the server to be fenced, with the account that may stop writes. */
  readonly account: Endpoint;
  /** The same server with the migration's own account. */
  readonly source: Endpoint;
  /** The migrated ones. */
  readonly schemas: readonly string[];
  readonly applicationAccounts: readonly ApplicationAccount[];
  /** Only of an instance of RDS. */
  readonly rds?: RdsInstance;
  /**
   * Where nobody may end the sessions of others, as on Azure: a restart by the service ends them all.
   * Resolves when the server serves again.
   */
  readonly restart?: (signal: AbortSignal) => Promise<void>;
}

export interface RdsInstance {
  readonly instance: string;
  /** Of its region. */
  readonly client: () => Promise<RDSClient>;
}

export interface AccountName {
  readonly user: string;
  readonly host: string;
}

export interface ApplicationAccount extends AccountName {
  /** null: its secret is not known. */
  readonly login: Endpoint | null;
}

/** A journal belongs to one kind: another would put back what it never changed. */
export function assertKind<K extends FenceKind>(
  state: FenceState,
  kind: K,
): asserts state is Extract<FenceState, { kind: K }> {
  if (state.kind === kind) return;
  throw new SkyferryFailure(
    'TRANSIENT',
    `the source was fenced by ${state.kind}, and cannot be un-fenced by ${kind}`,
  );
}
