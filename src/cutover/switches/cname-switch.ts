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
export function createCnameSwitch<V>(
  record: CnameRecord<V>,
  { consumer, name, from: givenFrom, to: givenTo, ttl }: CnameSwitchOptions,
): Switch {
  const [from, to] = [canonicalName(givenFrom), canonicalName(givenTo)];
  const refuse = (what: string, detail: { safe?: string; next?: string } = {}): SkyferryFailure =>
    new SkyferryFailure('SWITCH_FAILED', `${record.what}: ${what}`, {
      safe: 'the record is unchanged',
      ...detail,
    });

  const refuseVendorName = (): void => {
    if (!VENDOR_NAMES.test(name)) return;
    throw refuse(`${consumer} uses the vendor's own host name, which cannot be switched`, {
      next: 'give the application a CNAME of your own that points to it, and let it use that one',
    });
  };

  const read = async (signal: AbortSignal): Promise<CnameState<V>> => {
    try {
      return await patiently(signal, () => record.read(signal));
    } catch (error) {
      throw asSwitchFailure(error, 'this attempt did not touch the record');
    }
  };

  /** Reads before each attempt: somebody may have changed what does not matter here. */
  const change = async (
    signal: AbortSignal,
    decide: (state: CnameState<V>) => Parameters<CnameRecord<V>['replace']>[1] | null,
  ): Promise<void> => {
    for (let attempt = 0; attempt < STALE_ATTEMPTS; attempt++) {
      const state = await read(signal);
      const next = decide(state);
      if (next === null) return;
      const outcome = await patiently(signal, () => record.replace(state, next, signal)).catch(
        async (error: unknown) => {
          // Its answer may be all that was lost.
          const after = await record.read(signal).catch(() => null);
          if (after !== null && decide(after) === null) return 'done';
          throw asSwitchFailure(
            error,
            after === null
              ? `whether the record was changed is not known: look at it`
              : 'the record is unchanged',
          );
        },
      );
      if (outcome === 'done') return;
    }
    throw refuse('is being changed by somebody else all the time');
  };

  const move = async (before: string, after: string, signal: AbortSignal): Promise<void> => {
    await change(signal, (state) => {
      if (state.value === after) return null;
      if (state.value !== before) throw unexpected(state.value);
      return { ...state, value: after };
    });
  };

  const unexpected = (value: string): SkyferryFailure =>
    refuse(`points to ${value}, neither to ${from} nor to ${to}`, {
      next: 'find out who changed it, or correct `from` and `to` in the configuration',
    });

  return {
    consumer,
    describe: () => `${record.what}: CNAME ${from} becomes ${to}`,
    async precondition(signal) {
      refuseVendorName();
      const { value } = await read(signal);
      if (value !== from && value !== to) throw unexpected(value);
      // Better now than behind the fence: servers that cannot be asked, or that hold another zone of that name.
      const { served, asWanted } = await awaitServed(
        async () => await record.served(signal),
        (answer) => answer.value === from || answer.value === to,
        { withinMs: RECENT_CHANGE_MS, signal },
      );
      if (asWanted) return;
      throw refuse(`is served otherwise than it stands in the zone: ${describeServed(served)}`, {
        next: 'find out whether the name is delegated to this zone, and whether SKYFERRY_DNS_SERVERS or `resolver` know it',
      });
    },
    async do(signal) {
      refuseVendorName();
      await move(from, to, signal);
    },
    undo: async (signal) => await move(to, from, signal),
    async probe(signal) {
      const untouched = { safe: 'the record was looked at only' };
      const state = await read(signal);
      if (state.value !== to) throw refuse(`still points to ${state.value}`, untouched);
      const withinMs = PROPAGATION_MS + 1000 * (state.lowered?.formerTtl ?? state.ttl);
      const { served, asWanted } = await awaitServed(
        async () => await record.served(signal),
        ({ value }) => value === to,
        { withinMs, signal },
      );
      if (!asWanted)
        throw refuse(`is not served as switched: ${describeServed(served)}`, untouched);
    },
    async lowerTtl(signal): Promise<LoweredTtl> {
      refuseVendorName();
      let [formerTtl, since] = [0, ''];
      await change(signal, (state) => {
        if (state.value !== from && state.value !== to) throw unexpected(state.value);
        const known = state.ttl <= ttl ? state.lowered : null;
        formerTtl = known?.formerTtl ?? state.ttl;
        since = known?.since ?? (state.ttl <= ttl ? '' : new Date().toISOString());
        return state.ttl <= ttl ? null : { ...state, ttl, lowered: { formerTtl, since } };
      });
      if (since === '') return { formerTtl, waitMs: 0 };
      const { served, asWanted } = await awaitServed(
        async () => await record.served(signal),
        (answer) => !answer.authoritative || (answer.ttl ?? 0) <= ttl,
        { withinMs: PROPAGATION_MS, signal },
      );
      if (!asWanted) {
        throw refuse(`is not served with a TTL of ${ttl}: ${describeServed(served)}`, {
          safe: 'its value is unchanged, its TTL is lowered',
        });
      }
      return { formerTtl, waitMs: Math.max(0, Date.parse(since) + 1000 * formerTtl - Date.now()) };
    },
    async restoreTtl(formerTtl, signal) {
      let former = formerTtl;
      await change(signal, (state) => {
        former ??= state.lowered?.formerTtl ?? null;
        if (former === null) return null;
        if (state.lowered === null && (state.ttl === former || state.ttl !== ttl)) return null;
        // Whatever else it is was chosen by somebody after it had been lowered.
        return { ...state, ttl: state.ttl === ttl ? former : state.ttl, lowered: null };
      });
      return former;
    },
  };
}

function describeServed(served: readonly ServedCname[]): string {
  return served
    .map(({ server, value, ttl }) => `${server} says ${value ?? 'nothing'} for ${ttl ?? '?'} s`)
    .join(', ');
}
