import { createHash, hash } from 'node:crypto';
import type { RawConnection } from '../mysql/raw-connection.ts';

export interface RowsDigest {
  readonly rows: number;
  /** Hex. */
  readonly digest: string;
}

const STAGE_BYTES = 256 * 1024;

/** SHA-256 over the rows in the order in which they come, each with its length. */
export async function digestRows(connection: RawConnection, sql: string): Promise<RowsDigest> {
  const sha = createHash('sha256');
  const stage = Buffer.allocUnsafe(STAGE_BYTES);
  let staged = 0;
  const { rows } = await connection.selectRows(sql, (buffer, start, end) => {
    const length = end - start;
    if (staged + 4 + length > STAGE_BYTES) {
      sha.update(stage.subarray(0, staged));
      staged = 0;
    }
    stage.writeUInt32LE(length, staged);
    staged += 4;
    if (4 + length > STAGE_BYTES) {
      sha.update(stage.subarray(0, staged));
      staged = 0;
      sha.update(buffer.subarray(start, end));
    } else {
      buffer.copy(stage, staged, start, end);
      staged += length;
    }
    return true;
  });
  sha.update(stage.subarray(0, staged));
  return { rows, digest: sha.digest('hex') };
}

/** Words of 32 bits, summed as doubles: exact for so many rows between two carries. */
const ROWS_BETWEEN_CARRIES = 2 ** 20;

/** The sum of the rows' SHA-256 mod 2^256: the same for the same rows in any order, repeats counted. */
export async function digestMultiset(connection: RawConnection, sql: string): Promise<RowsDigest> {
  const words = new Float64Array(8);
  let sinceCarry = 0;
  const { rows } = await connection.selectRows(sql, (buffer, start, end) => {
    const row = hash('sha256', buffer.subarray(start, end), 'buffer');
    for (let i = 0; i < 8; i++) words[i] = words[i]! + row.readUInt32LE(i * 4);
    if (++sinceCarry === ROWS_BETWEEN_CARRIES) {
      carry(words);
      sinceCarry = 0;
    }
    return true;
  });
  carry(words);
  const digest = [...words].map((word) => word.toString(16).padStart(8, '0')).toReversed();
  return { rows, digest: digest.join('') };
}

function carry(words: Float64Array): void {
  let over = 0;
  for (let i = 0; i < 8; i++) {
    const sum = words[i]! + over;
    over = Math.floor(sum / 2 ** 32);
    words[i] = sum - over * 2 ** 32;
  }
}
