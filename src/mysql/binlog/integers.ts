/** A length-encoded integer. Read with `readPacked`, which moves `at`. */
export interface Cursor {
  at: number;
}

/** 1, 3, 4 or 9 bytes. NaN past the end, so that every bound check fails. */
export function readPacked(bytes: Buffer, cursor: Cursor): number {
  const first = bytes[cursor.at++];
  if (first === undefined) return Number.NaN;
  if (first < 251) return first;
  if (first === 252) return readLittleEndian(bytes, cursor, 2);
  if (first === 253) return readLittleEndian(bytes, cursor, 3);
  return readLittleEndian(bytes, cursor, 8);
}

export function packedInteger(value: number): number[] {
  if (value < 251) return [value];
  if (value < 0x10000) return [252, value & 255, value >> 8];
  return [253, value & 255, (value >> 8) & 255, value >> 16];
}

function readLittleEndian(bytes: Buffer, cursor: Cursor, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[cursor.at + i] ?? Number.NaN);
  cursor.at += length;
  return value;
}

export function uint32(bytes: Buffer, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

export function uint48(bytes: Buffer, at: number): number {
  return uint32(bytes, at) + (bytes[at + 4]! | (bytes[at + 5]! << 8)) * 0x1_0000_0000;
}

export function uint64(bytes: Buffer, at: number): number {
  return uint32(bytes, at) + uint32(bytes, at + 4) * 0x1_0000_0000;
}
