import type { Engine, SwitchConfig } from '../config/schema.ts';
import type { Estimates } from '../copy/estimate.ts';
import type { EngineOption } from './engines.ts';

/**
 * What a migration will do, before it does it. A person approves its hash: the hash covers what will
 * happen, not the estimates, which change while the source is written to.
 */
export interface Plan {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly schemas: readonly string[];
  readonly method: string;
  readonly engine: Engine;
  readonly whyEngine: string;
  /** All engines beside each other, for this source and target. */
  readonly engines: readonly EngineOption[];
  readonly steps: readonly PlanStep[];
  /** Largest first. Cut to `MAX_LISTED_TABLES`; `tableCount` counts all. */
  readonly tables: readonly PlannedTable[];
  readonly tableCount: number;
  /** SHA-256 over the names and keys of all of them. */
  readonly tablesHash: string;
  readonly objects: { views: number; routines: number; triggers: number; events: number };
  readonly foreignKeys: { count: number; cascading: number };
  readonly estimates: Estimates;
  readonly changesOnSource: readonly string[];
  readonly changesOnTarget: readonly string[];
  readonly cutover: PlannedCutover;
  readonly warnings: readonly string[];
}

export interface PlanStep {
  readonly phase: string;
  readonly does: string;
}

export interface PlannedTable {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /** How its rows are told apart; null: copied in one piece under a short READ lock. */
  readonly key: string | null;
}

export interface PlannedCutover {
  readonly fence: string;
  /** What it would have met when the plan was made; no part of what is approved. */
  readonly rehearsal?: string;
  readonly alsoFenced: readonly string[];
  readonly window: string;
  readonly approval: string;
  readonly lagThreshold: string;
  readonly downtimeBudget: string;
  readonly switches: readonly string[];
  readonly wayBack: string;
}

export function describeSwitch(config: SwitchConfig): string {
  switch (config.kind) {
    case 'file':
      return `${config.consumer}: file ${config.path}: ${config.from} → ${config.to}`;
    case 'command':
      return `${config.consumer}: the worker's command "${config.command}"`;
    case 'azure-dns':
    case 'azure-private-dns':
    case 'route53':
    case 'rfc2136':
      return `${config.consumer}: ${config.kind} ${config.record}.${config.zone}: ${config.from} → ${config.to}`;
    case 'aws-secret':
      return `${config.consumer}: secret ${config.secret} (${config.region}): ${config.from} → ${config.to}`;
  }
}
