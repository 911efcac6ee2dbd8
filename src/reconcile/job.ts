import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { Position } from '../mysql/position.ts';

export interface ReconcileJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  /** Rows of a chunk of a comparison. */
  readonly chunkRows: number;
  /** Chunks compared at a time. */
  readonly parallel: number;
  /** Row changes that the applier merges at most. */
  readonly batchRows: number;
  /** Where the migration's change capture began. */
  readonly start: Position;
}
