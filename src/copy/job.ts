import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';

export interface CopyJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  /** Chunks in flight, each with a session on either side. */
  readonly parallel: number;
  /** Rows of a chunk; wide rows make it smaller. */
  readonly chunkRows: number;
}
