/**
 * CRC-32 (IEEE), slicing by 8: `zlib.crc32` does not exist on Node 20. `seed` is a former result, so
 * that data may come in parts.
 */
export function crc32(bytes: Buffer, start = 0, end = bytes.length, seed = 0): number {
  let crc = ~seed;
  let at = start;
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  for (const last = end - 7; at < last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!;
  return ~crc >>> 0;
}

type Table = Int32Array;
type Tables = [Table, Table, Table, Table, Table, Table, Table, Table];

const TABLES = makeTables();

function makeTables(): Tables {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[byte] = crc;
  }
  const next = (table: Table) => table.map((crc) => (crc >>> 8) ^ first[crc & 255]!);
  const tables: Table[] = [first];
  while (tables.length < 8) tables.push(next(tables.at(-1)!));
  return tables as Tables;
}
