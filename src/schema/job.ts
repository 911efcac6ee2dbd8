import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { QualifiedName } from '../mysql/identifier.ts';

/** What the longer steps on the target need. `lctn` is the target's lower_case_table_names. */
export interface TargetSchemaJob {
  readonly target: Endpoint;
  readonly catalog: Catalog;
  readonly lctn: number;
  readonly migration: string;
  /** How many tables are worked on at once. */
  readonly parallel: number;
}

export interface SchemaOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SchemaProgress) => void;
}

export interface SchemaProgress {
  readonly step: 'indexes' | 'foreign-keys';
  /** Tables, of those that had something to be done. */
  readonly done: number;
  readonly total: number;
  /** Being worked on now, as the source spells them. */
  readonly current: readonly QualifiedName[];
}

/** Something that could not be carried over as it is; never a failure. */
export interface SchemaNote {
  readonly kind: 'view' | 'procedure' | 'function' | 'trigger' | 'event';
  readonly name: QualifiedName;
  /** DEFINER_MISSING: kept, but the account does not exist on the target, so using the object fails. */
  readonly code: 'DEFINER_REWRITTEN' | 'DEFINER_MISSING' | 'INVALID_ON_SOURCE' | 'EVENT_EXPIRED';
  /** For people. */
  readonly text: string;
}
