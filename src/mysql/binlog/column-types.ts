/** Column types as table maps carry them. ENUM and SET hide behind STRING's metadata. */
export const columnTypes = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newDate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  vector: 242,
  bool: 244,
  json: 245,
  newDecimal: 246,
  enum: 247,
  set: 248,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

/**
 * How many bytes a value takes: `fixed` of them, or a length in `prefix` bytes before it. `type` is
 * the real one (ENUM and SET unhidden), null: a type whose width is not known here.
 */
export interface Width {
  readonly type: number | null;
  readonly fixed: number;
  readonly prefix: number;
}

/** How many bytes of metadata a table map holds for a type; null: unknown type. */
export function metadataLength(type: number): number | null {
  switch (type) {
    case columnTypes.float:
    case columnTypes.double:
    case columnTypes.timestamp2:
    case columnTypes.datetime2:
    case columnTypes.time2:
    case columnTypes.vector:
    case columnTypes.json:
    case columnTypes.blob:
    case columnTypes.geometry:
      return 1;
    case columnTypes.varchar:
    case columnTypes.bit:
    case columnTypes.newDecimal:
    case columnTypes.enum:
    case columnTypes.set:
    case columnTypes.varString:
    case columnTypes.string:
      return 2;
    case columnTypes.tiny:
    case columnTypes.short:
    case columnTypes.long:
    case columnTypes.longlong:
    case columnTypes.int24:
    case columnTypes.timestamp:
    case columnTypes.date:
    case columnTypes.time:
    case columnTypes.datetime:
    case columnTypes.year:
    case columnTypes.newDate:
    case columnTypes.bool:
      return 0;
    default:
      return null;
  }
}

/**
 * `metadata` as the table map's bytes, first byte in the low half. TIME, DATETIME and TIMESTAMP of
 * tables that were made before 5.6.4 and never rebuilt are not read.
 */
export function widthOf(type: number, metadata: number): Width {
  const low = metadata & 255;
  const high = metadata >> 8;
  switch (type) {
    case columnTypes.tiny:
    case columnTypes.bool:
    case columnTypes.year:
      return fixed(type, 1);
    case columnTypes.short:
      return fixed(type, 2);
    case columnTypes.int24:
    case columnTypes.date:
    case columnTypes.newDate:
      return fixed(type, 3);
    case columnTypes.long:
    case columnTypes.float:
      return fixed(type, 4);
    case columnTypes.longlong:
    case columnTypes.double:
      return fixed(type, 8);
    case columnTypes.timestamp2:
      return fixed(type, 4 + fractionLength(low));
    case columnTypes.datetime2:
      return fixed(type, 5 + fractionLength(low));
    case columnTypes.time2:
      return fixed(type, 3 + fractionLength(low));
    case columnTypes.bit:
      return fixed(type, high + (low > 0 ? 1 : 0));
    case columnTypes.newDecimal:
      return fixed(type, decimalLength(low, high));
    case columnTypes.varchar:
    case columnTypes.varString:
      return { type, fixed: 0, prefix: metadata > 255 ? 2 : 1 };
    case columnTypes.blob:
    case columnTypes.json:
    case columnTypes.geometry:
    case columnTypes.vector:
      return low >= 1 && low <= 4 ? { type, fixed: 0, prefix: low } : unknown;
    case columnTypes.string:
      // The first byte is the real type, except that lengths above 255 borrow two of its bits, inverted.
      if (low === columnTypes.enum || low === columnTypes.set) return fixed(low, high);
      return { type, fixed: 0, prefix: stringLength(metadata) > 255 ? 2 : 1 };
    case columnTypes.enum:
    case columnTypes.set:
      return fixed(type, high);
    default:
      return unknown;
  }
}

/** CHAR(n) and BINARY(n): the most bytes a value can take. */
export function stringLength(metadata: number): number {
  return (metadata >> 8) + (((metadata << 4) & 0x300) ^ 0x300);
}

/** Bytes of the fraction of a temporal value with that many digits. */
function fractionLength(digits: number): number {
  return (digits + 1) >> 1;
}

const digitBytes = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

/** Bytes of so many decimal digits before or after the point: nine in four bytes. */
export function digitsLength(digits: number): number {
  return Math.floor(digits / 9) * 4 + (digitBytes[digits % 9] ?? 0);
}

function decimalLength(precision: number, scale: number): number {
  return digitsLength(precision - scale) + digitsLength(scale);
}

const unknown: Width = { type: null, fixed: 0, prefix: 0 };

function fixed(type: number, length: number): Width {
  return { type, fixed: length, prefix: 0 };
}
