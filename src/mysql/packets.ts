import type { Buffer as NodeBuffer } from 'node:buffer';

/** A packet's payload may fill 16 MB - 1 bytes; a full one means that the next one continues it. */
export const MAX_PAYLOAD = 0xff_ff_ff;
const CARRY_BYTES = 64 * 1024;

/**
 * Cuts a byte stream into payloads of the MySQL protocol. A payload that lies whole in one piece of
 * the stream is given as a slice of that piece, without a copy; only one that is cut by the edge of a
 * piece, or continued over several packets, is put together in a buffer of the reader's own. A payload
 * is valid until the next call of `next` or `push`.
 */
export class PacketReader {
  buffer: NodeBuffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  sequence = 0;

  #piece: NodeBuffer = Buffer.alloc(0);
  #position = 0;
  #carry = Buffer.allocUnsafeSlow(CARRY_BYTES);
  #carried = 0;
  #long: NodeBuffer | null = null;
  #longLength = 0;

  push(piece: NodeBuffer): void {
    this.#piece =
      this.#position < this.#piece.length
        ? Buffer.concat([this.#piece.subarray(this.#position), piece])
        : piece;
    this.#position = 0;
  }

  /** True: `buffer[start, end)` is the next payload. False: more bytes are needed. */
  next(): boolean {
    while (this.#nextPacket()) {
      const full = this.end - this.start === MAX_PAYLOAD;
      if (this.#long === null && !full) return true;
      this.#append();
      if (full) continue;
      this.buffer = this.#long!;
      this.start = 0;
      this.end = this.#longLength;
      this.#long = null;
      this.#longLength = 0;
      return true;
    }
    return false;
  }

  #nextPacket(): boolean {
    return this.#carried > 0 ? this.#completeCarried() : this.#sliceFromPiece();
  }

  #sliceFromPiece(): boolean {
    const piece = this.#piece;
    const at = this.#position;
    const available = piece.length - at;
    if (available >= 4) {
      const length = piece[at]! | (piece[at + 1]! << 8) | (piece[at + 2]! << 16);
      if (available >= 4 + length) {
        this.sequence = piece[at + 3]!;
        this.buffer = piece;
        this.start = at + 4;
        this.end = this.#position = at + 4 + length;
        return true;
      }
    }
    this.#take(available);
    return false;
  }

  #completeCarried(): boolean {
    this.#take(Math.max(0, 4 - this.#carried));
    if (this.#carried < 4) return false;
    const carry = this.#carry;
    const total = 4 + (carry[0]! | (carry[1]! << 8) | (carry[2]! << 16));
    this.#take(total - this.#carried);
    if (this.#carried < total) return false;
    this.sequence = this.#carry[3]!;
    this.buffer = this.#carry;
    this.start = 4;
    this.end = total;
    this.#carried = 0;
    // The payload just given out keeps the big buffer alive as long as it is needed.
    if (this.#carry.length > 16 * CARRY_BYTES) this.#carry = Buffer.allocUnsafeSlow(CARRY_BYTES);
    return true;
  }

  /** Moves up to `wanted` bytes of the piece to the carry. */
  #take(wanted: number): void {
    const count = Math.min(wanted, this.#piece.length - this.#position);
    if (count <= 0) return;
    const needed = this.#carried + count;
    if (needed > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#carry.length * 2));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    this.#piece.copy(this.#carry, this.#carried, this.#position, this.#position + count);
    this.#carried += count;
    this.#position += count;
  }

  #append(): void {
    const length = this.end - this.start;
    const needed = this.#longLength + length;
    if (this.#long === null || needed > this.#long.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(needed, 2 * MAX_PAYLOAD, (this.#long?.length ?? 0) * 2),
      );
      this.#long?.copy(larger, 0, 0, this.#longLength);
      this.#long = larger;
    }
    this.buffer.copy(this.#long, this.#longLength, this.start, this.end);
    this.#longLength = needed;
  }
}

/** How a statement without rows ended. */
export interface Completion {
  readonly affectedRows: number;
  readonly warnings: number;
}

export const SERVER_MORE_RESULTS = 0x0008;

export function parseOk(payload: NodeBuffer, start: number): Completion & { status: number } {
  const affected = lengthEncoded(payload, start + 1);
  const insertId = lengthEncoded(payload, affected.end);
  return {
    affectedRows: affected.value,
    status: payload.readUInt16LE(insertId.end),
    warnings: payload.readUInt16LE(insertId.end + 2),
  };
}

export function parseEof(payload: NodeBuffer, start: number): { warnings: number; status: number } {
  return { warnings: payload.readUInt16LE(start + 1), status: payload.readUInt16LE(start + 3) };
}

/** Errno and SQLSTATE alone: the message holds row values. */
export function parseErr(
  payload: NodeBuffer,
  start: number,
  end: number,
): { errno: number; code: string } {
  const errno = payload.readUInt16LE(start + 1);
  const hasState = end - start >= 9 && payload[start + 3] === 0x23;
  return {
    errno,
    code: hasState ? `SQLSTATE ${payload.toString('latin1', start + 4, start + 9)}` : 'no SQLSTATE',
  };
}

/** An integer of 1, 3, 4 or 9 bytes; lengths stay below 2^53. */
export function lengthEncoded(payload: NodeBuffer, at: number): { value: number; end: number } {
  const first = payload[at]!;
  if (first < 0xfb) return { value: first, end: at + 1 };
  if (first === 0xfc) return { value: payload.readUInt16LE(at + 1), end: at + 3 };
  if (first === 0xfd) return { value: payload.readUIntLE(at + 1, 3), end: at + 4 };
  if (first === 0xfe) return { value: Number(payload.readBigUInt64LE(at + 1)), end: at + 9 };
  throw new RangeError('not a length-encoded integer');
}

/** The fields of a row of the text protocol, copied: for small results. null is NULL. */
export function parseTextRow(
  payload: NodeBuffer,
  start: number,
  end: number,
): (NodeBuffer | null)[] {
  const fields: (NodeBuffer | null)[] = [];
  for (let at = start; at < end;) {
    if (payload[at] === 0xfb) {
      fields.push(null);
      at += 1;
      continue;
    }
    const { value: length, end: from } = lengthEncoded(payload, at);
    at = from + length;
    fields.push(Buffer.from(payload.subarray(from, at)));
  }
  return fields;
}
