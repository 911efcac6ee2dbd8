import type { QualifiedName } from '../mysql/identifier.ts';
import { displayName } from '../mysql/identifier.ts';
import type { Position } from '../mysql/position.ts';

export interface Verdict {
  /** No difference was found, and there was something to compare. Unsettled rows are not differences. */
  readonly equal: boolean;
  /** Everything that the source had committed up to here is compared; what it touched since is not. */
  readonly position: Position;
  readonly tables: readonly TableVerdict[];
  /** Rows compared over all tables. */
  readonly rows: number;
  /** At most `NAMED_DIFFERENCES`; how many there are says `differingCount`. */
  readonly differing: readonly Difference[];
  readonly differingCount: number;
  /** Still in motion when looked at: changed after `position`, so the next pass compares them. */
  readonly unsettled: readonly { readonly table: string; readonly key: string }[];
  readonly unsettledCount: number;
  readonly seconds: number;
}

export interface TableVerdict {
  readonly table: string;
  /** Rows of the source that were compared; for touched keys: how many keys. */
  readonly rows: number;
  readonly chunks: number;
  /**
   * SHA-256 over the source's chunk digests, or the multiset digest of a table without a key; empty
   * where single rows were compared.
   */
  readonly digest: string;
  readonly differing: number;
}

export type DifferenceKind = 'missing' | 'extra' | 'changed';

/** Seen from the target: a row that it lacks, should not have, or has with other values. */
export interface Difference {
  readonly table: string;
  /** Values of the key's columns: for people and report files, never for a workflow's history. */
  readonly key: string;
  readonly kind: DifferenceKind;
}

const NAMED_DIFFERENCES = 100;

/** Collects what a comparison finds; its size does not grow with the number of differences. */
export class Findings {
  readonly #differing: Difference[] = [];
  readonly #unsettled: { table: string; key: string }[] = [];
  readonly #byTable = new Map<string, number>();
  #differingCount = 0;
  #unsettledCount = 0;
  /** Rows that are being looked at again now. */
  rechecking = 0;
  /** Rows that stand still and differ, but are not confirmed yet. */
  standing = 0;

  differ(table: QualifiedName, key: string, kind: DifferenceKind): void {
    const name = displayName(table);
    this.#differingCount++;
    this.#byTable.set(name, (this.#byTable.get(name) ?? 0) + 1);
    if (this.#differing.length < NAMED_DIFFERENCES) {
      this.#differing.push({ table: name, key, kind });
    }
  }

  leaveUnsettled(table: QualifiedName, key: string): void {
    this.#unsettledCount++;
    if (this.#unsettled.length < NAMED_DIFFERENCES) {
      this.#unsettled.push({ table: displayName(table), key });
    }
  }

  get unsettledCount(): number {
    return this.#unsettledCount;
  }

  get differingCount(): number {
    return this.#differingCount;
  }

  toVerdict(
    position: Position,
    tables: readonly Omit<TableVerdict, 'differing'>[],
    seconds: number,
    nothingToCompare: boolean,
  ): Verdict {
    return {
      equal: this.#differingCount === 0 && !nothingToCompare,
      position,
      tables: tables.map((table) => ({ ...table, differing: this.#byTable.get(table.table) ?? 0 })),
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      differing: this.#differing,
      differingCount: this.#differingCount,
      unsettled: this.#unsettled,
      unsettledCount: this.#unsettledCount,
      seconds,
    };
  }
}
