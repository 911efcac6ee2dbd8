import type { VerifyProgress } from '../workflows/messages.ts';
import type { Catalog, Table } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { FilePosition } from '../mysql/position.ts';
import { readBinlogEnd } from '../mysql/watermark.ts';
import type { KeyValue } from './row-form.ts';
import type { Findings } from './verdict.ts';

export interface VerifyJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  readonly migration: string;
  readonly lctn: number;
  readonly chunkRows: number;
  readonly parallel: number;
}

export interface VerifyOptions {
  readonly signal: AbortSignal;
  onProgress(progress: VerifyProgress): void;
  /** Called for every row that stood still and differed, also for those that the verdict only counts. */
  readonly onDifference?: (row: DifferingRow) => void;
}

export interface DifferingRow {
  readonly table: Table;
  /** By key column, as `equalsKey` takes them; null: the table, or part of it, has no key. */
  readonly key: readonly KeyValue[] | null;
  /** false: the source touched the row meanwhile, so the verdict calls it unsettled. */
  readonly confirmed: boolean;
}

/** What one run of a comparison shares among its workers. */
export interface Comparison {
  readonly job: Omit<VerifyJob, 'chunkRows'>;
  readonly signal: AbortSignal;
  readonly findings: Findings;
  /** Both sides stand still: a difference is one, at once. */
  readonly atRest: boolean;
  /** Resolves when the target has applied what the source had committed when this was called. */
  caughtUp(): Promise<void>;
  readonly onDifference: VerifyOptions['onDifference'] | undefined;
  /** Called when a number changes that people watch. */
  changed(): void;
}

/**
 * The binlog's end read after a SELECT covers all that the SELECT has seen; so a target that has applied
 * it holds those rows, or later versions of them.
 */
export function catchUpWith(
  control: Connection,
  applied: (position: FilePosition) => Promise<unknown>,
): () => Promise<void> {
  return async () => {
    await applied(await readBinlogEnd(control));
  };
}
