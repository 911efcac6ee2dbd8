import { Decompress } from 'fzstd';
import { HEADER_LENGTH } from './events.ts';
import { readPacked, uint32 } from './integers.ts';
import { corrupt, unsupported } from './problems.ts';

const fields = { end: 0, size: 1, compression: 2, uncompressedSize: 3 } as const;
const compressions = { zstd: 0, none: 255 } as const;
const SLICE_BYTES = 64 * 1024;

/**
 * The events inside a TRANSACTION_PAYLOAD event, one after the other: memory holds the decompressed
 * bytes of one slice and the event that is cut off at its end, not the transaction. The events have
 * no checksums of their own. What is yielded is valid until the next step.
 */
export function* readPayload(
  bytes: Buffer,
  start: number,
  end: number,
): Generator<{ bytes: Buffer; start: number; end: number }> {
  const cursor = { at: start };
  let size = -1;
  let uncompressedSize: number | null = null;
  let compression: number = compressions.none;
  for (;;) {
    const field = readPacked(bytes, cursor);
    if (field === fields.end) break;
    const length = readPacked(bytes, cursor);
    if (!(cursor.at + length <= end)) throw corrupt('a compressed transaction is cut off');
    const value = readPacked(bytes, { at: cursor.at });
    if (field === fields.size) size = value;
    if (field === fields.compression) compression = value;
    if (field === fields.uncompressedSize) uncompressedSize = value;
    cursor.at += length;
  }
  if (cursor.at + size !== end) throw corrupt('a compressed transaction has another length');

  const pending = new PendingEvents();
  let total = 0;
  for (const chunk of decompressed(bytes.subarray(cursor.at, end), compression)) {
    total += chunk.length;
    pending.push(chunk);
    yield* pending.complete();
  }
  if (!pending.isEmpty()) throw corrupt('a compressed transaction ends within an event');
  if (uncompressedSize !== null && total !== uncompressedSize) {
    throw corrupt('a compressed transaction has another length when decompressed');
  }
}

function* decompressed(payload: Buffer, compression: number): Generator<Uint8Array> {
  if (compression === compressions.none) {
    yield payload;
    return;
  }
  if (compression !== compressions.zstd) {
    throw unsupported(`a transaction compressed by method ${compression}`);
  }
  let chunks: Uint8Array[] = [];
  const stream = new Decompress((chunk) => chunks.push(chunk));
  for (let at = 0; at < payload.length; at += SLICE_BYTES) {
    const last = at + SLICE_BYTES >= payload.length;
    try {
      stream.push(payload.subarray(at, at + SLICE_BYTES), last);
    } catch {
      throw corrupt('a compressed transaction cannot be decompressed');
    }
    const ready = chunks;
    chunks = [];
    yield* ready;
  }
}

class PendingEvents {
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  isEmpty(): boolean {
    return this.#start === this.#end;
  }

  push(chunk: Uint8Array): void {
    const rest = this.#end - this.#start;
    if (this.#end + chunk.length > this.#bytes.length) {
      const needed = rest + chunk.length;
      const roomy = needed > this.#bytes.length ? Buffer.allocUnsafe(needed * 2) : this.#bytes;
      this.#bytes.copy(roomy, 0, this.#start, this.#end);
      this.#bytes = roomy;
      this.#start = 0;
      this.#end = rest;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  *complete(): Generator<{ bytes: Buffer; start: number; end: number }> {
    while (this.#end - this.#start >= HEADER_LENGTH) {
      const length = uint32(this.#bytes, this.#start + 9);
      if (length < HEADER_LENGTH)
        throw corrupt('an event in a compressed transaction is malformed');
      if (this.#end - this.#start < length) return;
      const start = this.#start;
      this.#start += length;
      yield { bytes: this.#bytes, start, end: this.#start };
    }
  }
}
