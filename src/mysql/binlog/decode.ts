import { columnTypes, digitsLength, stringLength } from './column-types.ts';
import { unsupported } from './problems.ts';
import type { TableMap } from './table-map.ts';

/** What the binlog does not say for certain: take it from the catalog. */
export interface ColumnFacts {
  readonly unsigned: boolean;
  /** BINARY(n): the binlog drops its trailing zero bytes. */
  readonly binary: boolean;
}

/**
 * A value (its bounds come from `TableMap.locate`) as the text protocol spells it: DECIMAL with its
 * scale, temporal values with all their digits, TIMESTAMP in UTC, BIT as bytes, strings and blobs as
 * stored, ENUM and SET by their numbers, GEOMETRY with its SRID. FLOAT is spelled as the DOUBLE of the same value, like `f + 0e0`;
 * the exponents of very large and small numbers may be spelled differently from the server. Throws
 * BINLOG_UNSUPPORTED for JSON, whose text is not in the binlog.
 */
export function decodeValue(
  table: TableMap,
  column: number,
  facts: ColumnFacts,
  bytes: Buffer,
  begin: number,
  end: number,
): Buffer | null {
  if (begin < 0) return null;
  const type = table.realType(column);
  const metadata = table.metadata[column] ?? 0;
  switch (type) {
    case columnTypes.varchar:
    case columnTypes.varString:
    case columnTypes.blob:
    case columnTypes.geometry:
    case columnTypes.vector:
      return Buffer.from(bytes.subarray(begin, end));
    case columnTypes.bit:
      return Buffer.from(bytes.subarray(begin, end));
    case columnTypes.string:
      return facts.binary
        ? padded(bytes.subarray(begin, end), stringLength(metadata))
        : Buffer.from(bytes.subarray(begin, end));
    case columnTypes.json:
      throw unsupported('a JSON value is needed as text');
    default:
      return Buffer.from(spell(type, metadata, facts, bytes.subarray(begin, end)));
  }
}

function spell(type: number, metadata: number, facts: ColumnFacts, value: Buffer): string | Buffer {
  const digits = metadata & 255;
  switch (type) {
    case columnTypes.tiny:
    case columnTypes.bool:
    case columnTypes.short:
    case columnTypes.int24:
    case columnTypes.long:
      return String(
        facts.unsigned ? value.readUIntLE(0, value.length) : value.readIntLE(0, value.length),
      );
    case columnTypes.longlong:
      return String(facts.unsigned ? value.readBigUInt64LE() : value.readBigInt64LE());
    case columnTypes.float:
      return spellDouble(value.readFloatLE());
    case columnTypes.double:
      return spellDouble(value.readDoubleLE());
    case columnTypes.year:
      return value[0] === 0 ? '0000' : String(1900 + value[0]!);
    case columnTypes.date:
    case columnTypes.newDate:
      return spellDate(value.readUIntLE(0, 3));
    case columnTypes.timestamp2:
      return spellTimestamp(value, digits);
    case columnTypes.datetime2:
      return spellDatetime(value, digits);
    case columnTypes.time2:
      return spellTime(value, digits);
    case columnTypes.newDecimal:
      return spellDecimal(value, digits, metadata >> 8);
    case columnTypes.enum:
    case columnTypes.set:
      return spellNumber(value);
    default:
      throw unsupported(`column type ${type}`);
  }
}

function padded(value: Buffer, length: number): Buffer {
  const whole = Buffer.alloc(length);
  value.copy(whole);
  return whole;
}

function spellDouble(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return String(value).replace('e+', 'e');
}

/** Of ENUM the index of the member, of SET a bit for each; up to eight bytes. */
function spellNumber(value: Buffer): string {
  return value.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n).toString();
}

function spellDate(packed: number): string {
  return `${pad(packed >> 9, 4)}-${pad((packed >> 5) & 15, 2)}-${pad(packed & 31, 2)}`;
}

/** Seconds since 1970, big-endian, and a fraction. */
function spellTimestamp(value: Buffer, digits: number): string {
  const seconds = value.readUInt32BE();
  const fraction = spellFraction(microseconds(value, 4), digits);
  if (seconds === 0) return `0000-00-00 00:00:00${fraction}`;
  const [date, time] = new Date(seconds * 1000).toISOString().split('T');
  return `${date} ${time?.slice(0, 8)}${fraction}`;
}

/** 5 bytes, big-endian: sign (always set), 17 bits year * 13 + month, day 5, hour 5, minute 6, second 6. */
function spellDatetime(value: Buffer, digits: number): string {
  const packed = value.readUIntBE(0, 5) - 0x80_0000_0000;
  const yearMonth = Math.floor(packed / 2 ** 22);
  const rest = packed % 2 ** 22;
  const date = `${pad(Math.floor(yearMonth / 13), 4)}-${pad(yearMonth % 13, 2)}-${pad(rest >> 17, 2)}`;
  const time = clock((rest >> 12) & 31, (rest >> 6) & 63, rest & 63);
  return `${date} ${time}${spellFraction(microseconds(value, 5), digits)}`;
}

/** 3 bytes and the fraction as one big-endian number, offset so that it sorts; negative values by complement. */
function spellTime(value: Buffer, digits: number): string {
  const fractionBits = (value.length - 3) * 8;
  const unit = 2 ** fractionBits;
  const packed = value.readUIntBE(0, value.length) - 0x80_0000 * unit;
  const magnitude = Math.abs(packed);
  const whole = Math.floor(magnitude / unit);
  const fraction = scaleFraction(magnitude % unit, value.length - 3);
  const time = clock((whole >> 12) & 1023, (whole >> 6) & 63, whole & 63);
  return `${packed < 0 ? '-' : ''}${time}${spellFraction(fraction, digits)}`;
}

function microseconds(value: Buffer, at: number): number {
  const length = value.length - at;
  return length === 0 ? 0 : scaleFraction(value.readUIntBE(at, length), length);
}

/** One byte holds hundredths, two ten-thousandths, three millionths. */
function scaleFraction(stored: number, length: number): number {
  return stored * 10 ** (6 - 2 * length);
}

function spellFraction(micros: number, digits: number): string {
  return digits === 0 ? '' : `.${pad(micros, 6).slice(0, digits)}`;
}

function clock(hours: number, minutes: number, seconds: number): string {
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}`;
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0');
}

/**
 * Groups of nine digits in four bytes each, big-endian; the shorter group is the first before the
 * point and the last behind it. The first bit is set for positive numbers; negative ones are inverted.
 */
function spellDecimal(value: Buffer, precision: number, scale: number): string {
  const bytes = Buffer.from(value);
  const negative = (bytes[0]! & 0x80) === 0;
  bytes[0]! ^= 0x80;
  if (negative) for (let i = 0; i < bytes.length; i++) bytes[i]! ^= 0xff;
  let at = 0;
  const group = (digits: number) => {
    const length = digitsLength(digits);
    const text = length === 0 ? '' : pad(bytes.readUIntBE(at, length), digits);
    at += length;
    return text;
  };
  const groups = (digits: number) => Array.from({ length: Math.floor(digits / 9) }, () => group(9));
  const integerDigits = precision - scale;
  const integer = (group(integerDigits % 9) + groups(integerDigits).join('')).replace(/^0+/, '');
  const fraction = groups(scale).join('') + group(scale % 9);
  const text = `${integer === '' ? '0' : integer}${scale > 0 ? `.${fraction}` : ''}`;
  return negative ? `-${text}` : text;
}
