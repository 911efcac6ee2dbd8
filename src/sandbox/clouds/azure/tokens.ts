import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CloudContext, Store } from '../service.ts';

export interface TokenClaims {
  readonly aud: string;
  readonly tid: string;
  readonly appid: string;
  readonly oid: string;
  /** Seconds since 1970. */
  readonly exp: number;
}

/** Access tokens that prove themselves, so that a restart forgets none. */
export class Tokens {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  static async open(context: CloudContext): Promise<Tokens> {
    const store: Store<{ key: string }> = await context.store('azure/token-key', {
      key: randomBytes(32).toString('hex'),
    });
    await store.save();
    return new Tokens(Buffer.from(store.value.key, 'hex'));
  }

  issue(claims: TokenClaims): string {
    const parts = [{ typ: 'JWT', alg: 'HS256' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const signed = parts.join('.');
    return `${signed}.${this.#sign(signed).toString('base64url')}`;
  }

  /** Null for what was not issued here; whether it has expired is the caller's question. */
  read(token: string): TokenClaims | null {
    const [header, payload, signature, ...rest] = token.split('.');
    if (payload === undefined || signature === undefined || rest.length > 0) return null;
    const expected = this.#sign(`${header}.${payload}`);
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as TokenClaims;
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
