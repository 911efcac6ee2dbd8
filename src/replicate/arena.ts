/** Bytes that outlive the read buffer: copied behind one another, freed together. */
export class Arena {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 1 << 20) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Valid until the next `keep`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Returns where the copy begins. */
  keep(source: Buffer, start: number, end: number): number {
    const at = this.#length;
    const needed = at + (end - start);
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, needed));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    source.copy(this.#bytes, at, start, end);
    this.#length = needed;
    return at;
  }

  clear(): void {
    this.#length = 0;
  }
}
