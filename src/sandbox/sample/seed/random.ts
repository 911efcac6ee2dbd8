import { createHash } from 'node:crypto';

/** A deterministic generator (sfc32): the same seed and area give the same sequence everywhere. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: number | string, area: string) {
    const digest = createHash('sha256').update(`${seed}/${area}`).digest();
    this.#a = digest.readInt32LE(0);
    this.#b = digest.readInt32LE(4);
    this.#c = digest.readInt32LE(8);
    this.#counter = 1;
  }

  /** 0 to 2^32-1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Both ends included; below 2^32. */
  integer(low: number, high: number): number {
    return low + (this.uint32() % (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.uint32() < probability * 2 ** 32;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[this.uint32() % from.length] as T;
  }

  bytes(length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.ceil(length / 4) * 4);
    for (let i = 0; i < buffer.length; i += 4) buffer.writeUInt32LE(this.uint32(), i);
    return buffer.subarray(0, length);
  }

  /** A decimal number as text: up to `digits` before the point, exactly `scale` after it. */
  decimal(digits: number, scale: number): string {
    const whole = this.#digits(this.integer(1, digits)).replace(/^0+(?=\d)/, '');
    return scale === 0 ? whole : `${whole}.${this.#digits(scale)}`;
  }

  words(count: number): string {
    return Array.from({ length: count }, () => this.pick(vocabulary)).join(' ');
  }

  /** `2015-01-01` to about 2025, with microseconds. */
  moment(): string {
    const ms = Date.UTC(2015, 0, 1) + this.integer(0, 315_000_000) * 1000;
    const micros = String(this.integer(0, 999_999)).padStart(6, '0');
    return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}.${micros}`;
  }

  #digits(count: number): string {
    let text = '';
    while (text.length < count) text += String(this.uint32() % 1_000_000).padStart(6, '0');
    return text.slice(0, count);
  }
}

const vocabulary = [
  'settle', 'margin', 'Überweisung', 'naïve', 'order', 'bond', 'наличные', '株式', 'fund', 'yield',
  'call', 'put', '🚀', 'dividend', 'clearing', "trader's", 'back\\slash', 'tab\there', 'line\nbreak', 'ledger',
]; // prettier-ignore
