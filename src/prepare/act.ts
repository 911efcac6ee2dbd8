import type { FindingsOfEngines } from '../preflight/assessment.ts';
import type { Finding } from '../preflight/finding.ts';

/**
 * What makes the two servers ready, and gives back what was only borrowed: each change in a cloud is an
 * act with a name. `survey…` looks, changes nothing and says which acts there will be; a person approves
 * those that interrupt a server or cost money; then each is begun and completed by itself.
 */
export interface PlannedAct {
  /** Stable and unique within the migration, e.g. `aws/reboot`. */
  readonly name: string;
  /**
   * preparation: before anything is copied. before-window: caught up, changes still being applied.
   * completion: after the switch. An act runs in one of them; `undo` is what abort does about it.
   */
  readonly when: 'preparation' | 'before-window' | 'completion';
  /** One line: which resource is created, changed or removed, and how. */
  readonly does: string;
  /** What stops serving meanwhile, and for how long; null: nothing. */
  readonly interrupts: string | null;
  /** What it costs, e.g. `0.41 USD an hour from then on`; null: nothing. */
  readonly costs: string | null;
  /** What cannot be changed or undone later; null: nothing. */
  readonly cannotBeUndone: string | null;
  /** What abort does about it; null: nothing to undo. */
  readonly undo: string | null;
  /**
   * Values as they were before, to be put back by a later act or by abort. Read by the survey, because
   * an act that is begun a second time can no longer see them.
   */
  readonly former?: Readonly<Record<string, string>>;
  /** Reboots, interrupts or costs: never by itself. */
  readonly needsApproval: boolean;
}

/** What a survey of one side found. Plain JSON without secrets: it goes into the workflow's history. */
export interface Survey {
  readonly findings: readonly Finding[];
  /** Of the target: what stands in the way of each engine, also of those that are not in use. */
  readonly engines?: FindingsOfEngines;
  readonly acts: readonly PlannedAct[];
  /** Where the server is; null: it is still to be made. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Facts for people, one line each: version, size, network, who else reads the binlog. */
  readonly facts: readonly string[];
  /** Parameters that will differ between source and target, however this ends. */
  readonly differences: readonly ParameterDifference[];
  /** What runs, since when, and what it costs an hour. */
  readonly running: readonly RunningResource[];
}

/** What will be changed in clouds. A person approves its hash. */
export interface CloudPlan {
  readonly hash: string;
  readonly source: Survey;
  readonly target: Survey;
}

export interface ParameterDifference {
  readonly parameter: string;
  readonly source: string;
  readonly target: string;
  readonly why: string;
}

export interface RunningResource {
  readonly resource: string;
  /** USD; null: not in the price table. */
  readonly hourly: number | null;
  /** ISO 8601; null: not yet. */
  readonly since: string | null;
  /** The act that removes it: it runs no more once that is done. */
  readonly removedBy?: string;
}

/**
 * One act. Whatever is killed or sent again, there is one resource and one operation: `begin` looks first
 * and adopts what is its own already.
 */
export interface Act {
  /** Throws CLOUD_… failures. */
  begin(signal: AbortSignal): Promise<BegunAct>;
  /** Waits for what was begun and reads back that it is so. Safe to repeat. */
  complete(
    begun: BegunAct,
    options: { readonly signal: AbortSignal; readonly onProgress: (step: string) => void },
  ): Promise<CompletedAct>;
}

/** Travels through the workflow's history: no secret, no URL with a signature. */
export interface BegunAct {
  /** By which waiting is taken up again; null: there is nothing to wait for. */
  readonly token: string | null;
}

export interface CompletedAct {
  /** One line for people: what is so now. */
  readonly note: string;
  /** Known from now on, e.g. of a server that was made. */
  readonly address?: { readonly host: string; readonly port: number };
}

/** Former values of all acts so far, by act: what `undo` and `completion` acts work from. */
export type Formers = Readonly<Record<string, Readonly<Record<string, string>>>>;
