/**
 * Where in the source's binlog everything before is applied. The GTID set survives a failover of the
 * source; file and offset order positions on one server, also for transactions whose rows are
 * already visible but whose GTID has not joined `@@gtid_executed` yet.
 */
export interface Position {
  readonly gtidSet: string;
  readonly file: string;
  /** Byte offset in `file`: the end of the last transaction before. */
  readonly offset: number;
}

export type FilePosition = Pick<Position, 'file' | 'offset'>;

/** -1, 0 or 1. Only for positions of one server. Binlog names order by their number, not their text. */
export function compareFilePositions(a: FilePosition, b: FilePosition): number {
  const byFile = binlogNumber(a.file) - binlogNumber(b.file);
  return Math.sign(byFile !== 0 ? byFile : a.offset - b.offset);
}

function binlogNumber(file: string): number {
  const digits = /\.(\d+)$/.exec(file)?.[1];
  if (digits === undefined) throw new RangeError(`not a binlog file name: ${file}`);
  return Number(digits);
}
