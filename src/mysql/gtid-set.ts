/**
 * A set of GTIDs as MySQL spells it: `uuid:1-5:7:tag:1-3,uuid:…`. Immutable; every operation gives a
 * new set. Tags (8.3+) are kept apart from the untagged transactions of the same server.
 */
export class GtidSet {
  static readonly empty = new GtidSet(new Map());

  /** By source key (`uuid` or `uuid:tag`, lower case): sorted, disjoint, non-adjacent intervals. */
  readonly #sources: ReadonlyMap<string, readonly Interval[]>;

  private constructor(sources: ReadonlyMap<string, readonly Interval[]>) {
    this.#sources = sources;
  }

  /** Understands everything that the server prints, in any order and case. Throws RangeError otherwise. */
  static parse(text: string): GtidSet {
    const sources = new Map<string, readonly Interval[]>();
    for (const part of text.split(',')) {
      const [head, ...rest] = part.split(':').map((piece) => piece.trim());
      if (head === '' && rest.length === 0) continue;
      const uuid = canonicalUuid(head ?? '');
      let key = uuid;
      let found = 0;
      for (const piece of rest) {
        if (TAG.test(piece)) {
          key = sourceKey(uuid, piece);
          continue;
        }
        const interval = parseInterval(piece);
        found += 1;
        if (interval !== null) sources.set(key, merge(sources.get(key) ?? [], [interval]));
      }
      if (found === 0) throw new RangeError('not a GTID set: a source without an interval');
    }
    return new GtidSet(sources);
  }

  /** The layout of PREVIOUS_GTIDS events and of COM_BINLOG_DUMP_GTID. Throws RangeError when malformed. */
  static decode(bytes: Buffer): GtidSet {
    const sources = new Map<string, readonly Interval[]>();
    let at = 8;
    const header = bytes.readBigUInt64LE(0);
    const format = header >> 56n;
    if (format > 1n) throw new RangeError(`unknown GTID set format ${format}`);
    const tagged = format === 1n;
    const count = tagged ? (header >> 8n) & 0xffff_ffff_ffffn : header;
    for (let source = 0n; source < count; source++) {
      const uuid = uuidText(bytes, at);
      at += 16;
      let tag = '';
      if (tagged) {
        const length = bytes.readUInt8(at) >> 1;
        tag = bytes.toString('latin1', at + 1, at + 1 + length);
        at += 1 + length;
      }
      const intervals: Interval[] = [];
      const intervalCount = bytes.readBigUInt64LE(at);
      at += 8;
      for (let i = 0n; i < intervalCount; i++) {
        const end = bytes.readBigUInt64LE(at + 8) - 1n;
        intervals.push({ start: bytes.readBigUInt64LE(at), end });
        at += 16;
      }
      const key = sourceKey(uuid, tag);
      const merged = merge(sources.get(key) ?? [], intervals);
      if (merged.length > 0) sources.set(key, merged);
    }
    return new GtidSet(sources);
  }

  encode(): Buffer {
    const entries = this.#sorted();
    const tagged = entries.some(([, tag]) => tag !== '');
    const count = BigInt(entries.length);
    const parts = [uint64(tagged ? (1n << 56n) | (count << 8n) | 1n : count)];
    for (const [uuid, tag, intervals] of entries) {
      parts.push(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
      // The tag's length is one variable-length integer; 32 is the longest tag, so one byte holds it.
      if (tagged) parts.push(Buffer.from([tag.length << 1]), Buffer.from(tag, 'latin1'));
      parts.push(uint64(BigInt(intervals.length)));
      for (const { start, end } of intervals) parts.push(uint64(start), uint64(end + 1n));
    }
    return Buffer.concat(parts);
  }

  isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /** Every GTID of `other` is in this set; true for an empty `other`. */
  contains(other: GtidSet): boolean {
    for (const [key, intervals] of other.#sources) {
      if (!covers(this.#sources.get(key) ?? [], intervals)) return false;
    }
    return true;
  }

  has(uuid: string, tag: string, number: bigint | number): boolean {
    const n = BigInt(number);
    const intervals = this.#sources.get(sourceKey(canonicalUuid(uuid), tag)) ?? [];
    return intervals.some(({ start, end }) => start <= n && n <= end);
  }

  equals(other: GtidSet): boolean {
    return this.contains(other) && other.contains(this);
  }

  /** `tag` is '' for none. Cheap: meant to be called for each transaction. */
  add(uuid: string, tag: string, number: bigint | number): GtidSet {
    const n = BigInt(number);
    if (n < 1n) throw new RangeError('a GTID number starts at 1');
    const key = sourceKey(canonicalUuid(uuid), tag);
    const sources = new Map(this.#sources);
    sources.set(key, withNumber(sources.get(key) ?? [], n));
    return new GtidSet(sources);
  }

  union(other: GtidSet): GtidSet {
    const sources = new Map(this.#sources);
    for (const [key, intervals] of other.#sources) {
      sources.set(key, merge(sources.get(key) ?? [], intervals));
    }
    return new GtidSet(sources);
  }

  /** What is in this set and not in `other`. */
  subtract(other: GtidSet): GtidSet {
    const sources = new Map<string, readonly Interval[]>();
    for (const [key, intervals] of this.#sources) {
      const left = minus(intervals, other.#sources.get(key) ?? []);
      if (left.length > 0) sources.set(key, left);
    }
    return new GtidSet(sources);
  }

  /** The servers that the transactions come from. */
  servers(): Set<string> {
    return new Set([...this.#sources.keys()].map(uuidOf));
  }

  /** Only what comes from these servers. */
  ofServers(uuids: ReadonlySet<string>): GtidSet {
    return new GtidSet(new Map([...this.#sources].filter(([key]) => uuids.has(uuidOf(key)))));
  }

  /** How many GTIDs. */
  size(): bigint {
    let size = 0n;
    for (const intervals of this.#sources.values()) {
      for (const { start, end } of intervals) size += end - start + 1n;
    }
    return size;
  }

  /** MySQL's canonical spelling, without line breaks. */
  toString(): string {
    let text = '';
    let lastUuid = '';
    for (const [uuid, tag, intervals] of this.#sorted()) {
      if (uuid !== lastUuid) text += (text === '' ? '' : ',') + uuid;
      lastUuid = uuid;
      if (tag !== '') text += `:${tag}`;
      for (const { start, end } of intervals)
        text += start === end ? `:${start}` : `:${start}-${end}`;
    }
    return text;
  }

  /** Untagged before tagged of the same server, as the server sorts them. */
  #sorted(): [uuid: string, tag: string, intervals: readonly Interval[]][] {
    return [...this.#sources]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, intervals]) => [
        key.slice(0, UUID_LENGTH),
        key.slice(UUID_LENGTH + 1),
        intervals,
      ]);
  }
}

/** Both ends inclusive. */
interface Interval {
  readonly start: bigint;
  readonly end: bigint;
}

const UUID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/i;
// Numbers are signed 64-bit in the server, and the largest one is its end marker.
const LARGEST = (1n << 63n) - 2n;

function canonicalUuid(text: string): string {
  if (UUID.test(text)) return text;
  const plain = text.toLowerCase().replace(/^\{(.*)\}$/, '$1');
  const dashed = plain.includes('-')
    ? plain
    : plain.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (!UUID.test(dashed)) throw new RangeError('not a GTID set: no server UUID where one is due');
  return dashed;
}

function sourceKey(uuid: string, tag: string): string {
  return tag === '' ? uuid : `${uuid}:${tag.toLowerCase()}`;
}

/** null: an empty interval such as `5-3`, which the server accepts and drops. */
function parseInterval(text: string): Interval | null {
  const match = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(text);
  if (match === null) throw new RangeError('not a GTID set: no interval where one is due');
  const start = BigInt(match[1] ?? '0');
  const end = BigInt(match[2] ?? match[1] ?? '0');
  if (start < 1n || start > LARGEST || end > LARGEST) throw new RangeError('GTID out of range');
  return end < start ? null : { start, end };
}

/** The server's 16 bytes as text with dashes. */
export function uuidText(bytes: Buffer, at: number): string {
  if (at + 16 > bytes.length) throw new RangeError('UUID is cut off');
  const hex = bytes.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** The usual case, the number after the last one, costs one new array. */
function withNumber(intervals: readonly Interval[], number: bigint): readonly Interval[] {
  const last = intervals.at(-1);
  if (last !== undefined && number === last.end + 1n) {
    return intervals.with(intervals.length - 1, { start: last.start, end: number });
  }
  return merge(intervals, [{ start: number, end: number }]);
}

function merge(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const sorted = [...a, ...b].sort((x, y) => (x.start < y.start ? -1 : x.start > y.start ? 1 : 0));
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && interval.start <= last.end + 1n) {
      if (interval.end > last.end)
        merged[merged.length - 1] = { start: last.start, end: interval.end };
    } else {
      merged.push(interval);
    }
  }
  return merged;
}

function covers(outer: readonly Interval[], inner: readonly Interval[]): boolean {
  let i = 0;
  return inner.every(({ start, end }) => {
    while (i < outer.length && (outer[i]?.end ?? 0n) < start) i += 1;
    const candidate = outer[i];
    return candidate !== undefined && candidate.start <= start && end <= candidate.end;
  });
}

function minus(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const left: Interval[] = [];
  let first = 0;
  for (const { start, end } of a) {
    let from = start;
    while (first < b.length && (b[first]?.end ?? 0n) < from) first += 1;
    for (let i = first; i < b.length && from <= end; i++) {
      const hole = b[i];
      if (hole === undefined || hole.start > end) break;
      if (hole.start > from) left.push({ start: from, end: hole.start - 1n });
      from = hole.end + 1n;
    }
    if (from <= end) left.push({ start: from, end });
  }
  return left;
}

function uuidOf(key: string): string {
  return key.slice(0, 36);
}
