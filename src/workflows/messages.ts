import type { Engine, MigrationConfig } from '../config/schema.ts';

/** The contract of `migrateDatabase`: its input, signals, updates and queries. All are plain JSON. */
export const TASK_QUEUE = 'skyferry';
export const workflowId = (name: string): string => `migration/${name}`;

export type MigrationInput = MigrationConfig;

/** The way that a migration takes when nothing goes wrong. */
const way = [
  'preflight',
  'awaiting-preparation',
  'preparing',
  'provisioning',
  'full-load',
  'catching-up',
  'resizing',
  'verifying',
  'awaiting-window',
  'awaiting-approval',
  'cutting-over',
  'completed',
] as const;
const phases = [...way, 'parked', 'rolled-back', 'aborted', 'failed'] as const;

/** Servers that are simply there need no preparation, and only what Skyferry may size is resized. */
export function wayOf({ source, target }: MigrationConfig): Phase[] {
  const left = new Set<Phase>();
  if (!isInClouds({ source, target })) left.add('awaiting-preparation').add('preparing');
  if (target.kind === 'mysql') left.add('resizing');
  return way.filter((phase) => !left.has(phase));
}

/** A cloud has to be asked where a server is, or to make or change one. */
export function isInClouds({
  source,
  target,
}: Pick<MigrationConfig, 'source' | 'target'>): boolean {
  return source.kind !== 'mysql' || target.kind !== 'mysql';
}

export type Phase = (typeof phases)[number];

export const signalNames = [
  'approve-preparation',
  'approve-cutover',
  'reject-cutover',
  'pause',
  'resume',
  'abort',
  'retry-phase',
  'switch-engine',
] as const;
export type MessageName = (typeof signalNames)[number];

/** Of a plan: the cutover's, or the preparation's of servers in clouds. */
export interface Approve {
  by: string;
  /** Hash of the plan that was approved; refused when it is not this run's. */
  planHash?: string;
  note?: string;
}
export interface ByPerson {
  by: string;
  reason?: string;
}
export interface Abort extends ByPerson {
  /** Drops the copied tables too: must be the migration's name. */
  dropTarget?: string;
  /** Removes what was created in clouds; else it is listed only. */
  deleteCreated?: boolean;
}

/** azure-dms has a service that must have been prepared, so nobody can change to it. */
export const switchableEngines = ['built-in', 'native'] as const satisfies Engine[];
export interface SwitchEngine extends ByPerson {
  engine: (typeof switchableEngines)[number];
}

/** A message as it was taken, for status and report. Times are ISO 8601 UTC. */
export interface MessageRecord {
  name: string;
  by: string;
  at: string;
  via: 'signal' | 'update';
  outcome: 'accepted' | 'refused';
  reason?: string;
  note?: string;
}

export interface PhaseRecord {
  phase: Phase;
  startedAt: string;
  endedAt?: string;
}

/** Answer of the query `status`: what the workflow itself knows; live numbers are in `LiveProgress`. */
export interface MigrationStatus {
  name: string;
  runId: string;
  phase: Phase;
  /** The phases that it takes when nothing goes wrong, in order. */
  way: Phase[];
  /** While parked: the phase that `retry-phase` takes up again. */
  parkedIn?: Phase;
  paused: boolean;
  /** The replication engine in use; there once it is decided. */
  engine?: Engine;
  startedAt: string;
  history: PhaseRecord[];
  planHash?: string;
  /** Why it does not go on by itself: one line each, with what to do. */
  blockers: string[];
  /** Exact commands that a person may type now. */
  nextSteps: string[];
  failure?: { code: string; message: string; safe?: string; next?: string };
  approval?: { by: string; at: string; expiresAt: string; note?: string };
  /** Servers in clouds: what is changed there, and what has been done of it. */
  preparation?: PreparationStatus;
  /** The last rejection, until the next approval. */
  rejection?: { by: string; at: string; reason?: string };
  window?: { opensAt: string; closesAt: string; open: boolean };
  lagMs?: number;
  messages: MessageRecord[];
  /** Set once the switch has begun: nothing reverts without a person after that. */
  switchedAt?: string;
  /** What was done inside the phases, the latest last. */
  milestones: { at: string; text: string }[];
  /** How to lift the fence by hand, when the source is fenced. */
  unfenceCommand?: string;
  /** What abort took back, one line each. */
  undone?: readonly string[];
}

export interface PreparationStatus {
  /** What `approve-preparation` refers to. */
  planHash: string;
  acts: {
    name: string;
    does: string;
    when: string;
    interrupts?: string;
    costs?: string;
    cannotBeUndone?: string;
    /** What abort does about it. */
    undo?: string;
    needsApproval: boolean;
    done?: string;
  }[];
  approval?: { by: string; at: string; note?: string };
  running: { resource: string; hourly?: number; since?: string }[];
  facts: string[];
}

/** The heartbeat details of the running activity: read by DescribeWorkflowExecution. */
export interface LiveProgress {
  activity:
    | 'preflight'
    | 'prepare'
    | 'provision'
    | 'schema'
    | 'copy'
    | 'apply'
    | 'indexes'
    | 'lag'
    | 'verify'
    | 'cutover';
  at: string;
  copy?: CopyProgress;
  apply?: ApplyProgress;
  verify?: VerifyProgress;
  step?: string;
}

export interface CopyProgress {
  rows: number;
  bytes: number;
  estimatedRows: number;
  chunksDone: number;
  chunksTotal: number;
  tables: { table: string; rows: number; estimatedRows: number; bytes: number; done: boolean }[];
  /** What another engine than the built-in one says of itself. */
  engine?: string;
}

export interface ApplyProgress {
  /** Seconds between commit on the source and commit on the target, in ms. */
  lagMs: number;
  transactions: number;
  rowChanges: number;
  position: { file: string; offset: number };
  /** The last seen sign of life of the source: an event or the binlog dump's heartbeat (ISO). */
  sourceSeenAt: string;
  /** What another engine than the built-in one says of itself. */
  engine?: string;
}

export interface VerifyProgress {
  rows: number;
  estimatedRows: number;
  tablesDone: number;
  tables: number;
  differing: number;
  rechecking: number;
}
