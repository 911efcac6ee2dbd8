import { canonicalName } from '../../clouds/dns/ask.ts';
import { awaitServed } from '../../clouds/dns/authoritative.ts';
import type { ServedCname } from '../../clouds/dns/authoritative.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { CnameRecord, CnameState } from './cname-record.ts';
import { asSwitchFailure, patiently } from './patience.ts';
import type { LoweredTtl, Switch } from './switch.ts';

export interface CnameSwitchOptions {
  readonly consumer: string;
  /** The record's full name. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Seconds; what the TTL is lowered to. */
  readonly ttl: number;
}

/** Names that the vendors give to servers; nobody can point them elsewhere. */
const VENDOR_NAMES = /\.(rds\.amazonaws\.com(\.cn)?|mysql\.database\.(azure\.com|chinacloudapi\.cn|usgovcloudapi\.net))$/; // prettier-ignore
/** Longer than DNS services take to bring all of their servers up to date. */
const PROPAGATION_MS = 60_000;
/** A record may have been made just now. */
const RECENT_CHANGE_MS = 5_000;
const STALE_ATTEMPTS = 3;

/** A CNAME that is pointed from one server to the other, whichever service holds its zone. */
export class CnameSwitch<V> implements Switch {
  readonly consumer: string;
  readonly #record: CnameRecord<V>;
  readonly #name: string;
  readonly #from: string;
  readonly #to: string;
  readonly #ttl: number;

  constructor(record: CnameRecord<V>, { consumer, name, from, to, ttl }: CnameSwitchOptions) {
    this.consumer = consumer;
    this.#record = record;
    this.#name = name;
    this.#from = canonicalName(from);
    this.#to = canonicalName(to);
    this.#ttl = ttl;
  }

  describe(): string {
    return `${this.#record.what}: CNAME ${this.#from} becomes ${this.#to}`;
  }

  async precondition(signal: AbortSignal): Promise<void> {
    this.#refuseVendorName();
    const { value } = await this.#read(signal);
    if (value !== this.#from && value !== this.#to) throw this.#unexpected(value);
    // Better now than behind the fence: servers that cannot be asked, or that hold another zone of that name.
    const { served, asWanted } = await this.#awaitServed(
      (answer) => answer.value === this.#from || answer.value === this.#to,
      RECENT_CHANGE_MS,
      signal,
    );
    if (asWanted) return;
    throw this.#refuse(
      `is served otherwise than it stands in the zone: ${describeServed(served)}`,
      {
        next: 'find out whether the name is delegated to this zone, and whether SKYFERRY_DNS_SERVERS or `resolver` know it',
      },
    );
  }

  async do(signal: AbortSignal): Promise<void> {
    this.#refuseVendorName();
    await this.#move(this.#from, this.#to, signal);
  }

  async undo(signal: AbortSignal): Promise<void> {
    await this.#move(this.#to, this.#from, signal);
  }

  async probe(signal: AbortSignal): Promise<void> {
    const untouched = { safe: 'the record was looked at only' };
    const { value, ttl, lowered } = await this.#read(signal);
    if (value !== this.#to) throw this.#refuse(`still points to ${value}`, untouched);
    const { served, asWanted } = await this.#awaitServed(
      (answer) => answer.value === this.#to,
      PROPAGATION_MS + 1000 * (lowered?.formerTtl ?? ttl),
      signal,
    );
    if (asWanted) return;
    throw this.#refuse(`is not served as switched: ${describeServed(served)}`, untouched);
  }

  async lowerTtl(signal: AbortSignal): Promise<LoweredTtl> {
    this.#refuseVendorName();
    const ttl = this.#ttl;
    let [formerTtl, since] = [0, ''];
    await this.#change(signal, (state) => {
      if (state.value !== this.#from && state.value !== this.#to) {
        throw this.#unexpected(state.value);
      }
      const known = state.ttl <= ttl ? state.lowered : null;
      formerTtl = known?.formerTtl ?? state.ttl;
      since = known?.since ?? (state.ttl <= ttl ? '' : new Date().toISOString());
      return state.ttl <= ttl ? null : { ...state, ttl, lowered: { formerTtl, since } };
    });
    if (since === '') return { formerTtl, waitMs: 0 };
    const { served, asWanted } = await this.#awaitServed(
      (answer) => !answer.authoritative || (answer.ttl ?? 0) <= ttl,
      PROPAGATION_MS,
      signal,
    );
    if (!asWanted) {
      throw this.#refuse(`is not served with a TTL of ${ttl}: ${describeServed(served)}`, {
        safe: 'its value is unchanged, its TTL is lowered',
      });
    }
    return { formerTtl, waitMs: Math.max(0, Date.parse(since) + 1000 * formerTtl - Date.now()) };
  }

  async restoreTtl(formerTtl: number | null, signal: AbortSignal): Promise<number | null> {
    const ttl = this.#ttl;
    let former = formerTtl;
    await this.#change(signal, (state) => {
      former ??= state.lowered?.formerTtl ?? null;
      if (former === null) return null;
      if (state.lowered === null && (state.ttl === former || state.ttl !== ttl)) return null;
      // Whatever else it is was chosen by somebody after it had been lowered.
      return { ...state, ttl: state.ttl === ttl ? former : state.ttl, lowered: null };
    });
    return former;
  }

  async #read(signal: AbortSignal): Promise<CnameState<V>> {
    try {
      return await patiently(signal, () => this.#record.read(signal));
    } catch (error) {
      throw asSwitchFailure(error, 'this attempt did not touch the record');
    }
  }

  async #move(before: string, after: string, signal: AbortSignal): Promise<void> {
    await this.#change(signal, (state) => {
      if (state.value === after) return null;
      if (state.value !== before) throw this.#unexpected(state.value);
      return { ...state, value: after };
    });
  }

  /** Reads before each attempt: somebody may have changed what does not matter here. */
  async #change(signal: AbortSignal, decide: Decide<V>): Promise<void> {
    for (let attempt = 0; attempt < STALE_ATTEMPTS; attempt++) {
      const state = await this.#read(signal);
      const next = decide(state);
      if (next === null) return;
      const outcome = await patiently(signal, () =>
        this.#record.replace(state, next, signal),
      ).catch(async (error: unknown) => await this.#afterFailure(error, decide, signal));
      if (outcome === 'done') return;
    }
    throw this.#refuse('is being changed by somebody else all the time');
  }

  /** Its answer may be all that was lost. */
  async #afterFailure(failure: unknown, decide: Decide<V>, signal: AbortSignal): Promise<'done'> {
    const after = await this.#record.read(signal).catch(() => null);
    if (after !== null && decide(after) === null) return 'done';
    throw asSwitchFailure(
      failure,
      after === null
        ? 'whether the record was changed is not known: look at it'
        : 'the record is unchanged',
    );
  }

  async #awaitServed(
    isWanted: (answer: ServedCname) => boolean,
    withinMs: number,
    signal: AbortSignal,
  ): ReturnType<typeof awaitServed> {
    const ask = async () => await this.#record.served(signal);
    return await awaitServed(ask, isWanted, { withinMs, signal });
  }

  #refuseVendorName(): void {
    if (!VENDOR_NAMES.test(this.#name)) return;
    throw this.#refuse(
      `${this.consumer} uses the vendor's own host name, which cannot be switched`,
      {
        next: 'give the application a CNAME of your own that points to it, and let it use that one',
      },
    );
  }

  #unexpected(value: string): SkyferryFailure {
    return this.#refuse(`points to ${value}, neither to ${this.#from} nor to ${this.#to}`, {
      next: 'find out who changed it, or correct `from` and `to` in the configuration',
    });
  }

  #refuse(what: string, detail: { safe?: string; next?: string } = {}): SkyferryFailure {
    return new SkyferryFailure('SWITCH_FAILED', `${this.#record.what}: ${what}`, {
      safe: 'the record is unchanged',
      ...detail,
    });
  }
}

/** What the record should become; null: it is as wanted. */
type Decide<V> = (state: CnameState<V>) => Parameters<CnameRecord<V>['replace']>[1] | null;

function describeServed(served: readonly ServedCname[]): string {
  return served
    .map(({ server, value, ttl }) => `${server} says ${value ?? 'nothing'} for ${ttl ?? '?'} s`)
    .join(', ');
}
