import { SkyferryFailure } from '../failures.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { qualify, quoteIdentifier } from '../mysql/identifier.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import type { PacketPool } from './pump.ts';

/** Rows of one table on their way, by whichever statement they are stored. */
export interface RowsLoad {
  readonly source: RawConnection;
  readonly target: RawConnection;
  readonly pool: PacketPool;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  readonly table: Table;
  /** For failures: which rows these are. */
  readonly what: string;
  onMoved(rows: number, bytes: number): void;
  /** Documents with a scalar of a type that no expression makes: it stays as its text parses. */
  readonly onLeft?: (documents: number) => void;
}

/** A warning that also comes with an ENUM's value without a member, which is stored all the same. */
export const DATA_TRUNCATED = '1265';

/** The table under the alias `r`, read in the order of its row key where it has one. */
export function fromSource({ name, rowKey }: Table): string {
  const index = rowKey === null ? '' : ` FORCE INDEX (${quoteIdentifier(rowKey.index)})`;
  return `FROM ${qualify(name)} AS r${index}`;
}

export function inexact({ what }: RowsLoad, how: string): SkyferryFailure {
  return new SkyferryFailure('COPY_INEXACT', `${what}: ${how}`, {
    safe: 'what was loaded is rolled back; the source was only read',
    next: 'compare the definitions of the table on both servers, then retry the phase',
  });
}
