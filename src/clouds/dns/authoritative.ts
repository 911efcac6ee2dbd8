import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from 'dns-packet';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import { askServer, canonicalName, describeServer, sameName } from './ask.ts';
import type { DnsServer } from './ask.ts';
import { dnsServersOf, parseDnsServer } from './servers.ts';

/** What one DNS server says about a CNAME. */
export interface ServedCname {
  readonly server: string;
  /** Without the dot at the end; null: the server knows no CNAME of that name. */
  readonly value: string | null;
  /** Seconds; a resolver counts it down. */
  readonly ttl: number | null;
  /** It speaks for the zone; otherwise it passes on what it has heard. */
  readonly authoritative: boolean;
}

export interface DnsLookup {
  /**
   * Each server that speaks for the zone: those of its NS records, or those that
   * `SKYFERRY_DNS_SERVERS` names instead (which may be resolvers inside a network). Throws
   * SWITCH_FAILED when none answers for the zone.
   */
  askZone(zone: string, name: string, signal: AbortSignal): Promise<ServedCname[]>;
  /** One resolver, `address` or `address:port`. */
  askResolver(resolver: string, name: string, signal: AbortSignal): Promise<ServedCname>;
  /** `SKYFERRY_DNS_SERVERS` names those that are asked. */
  readonly hasOwnServers: boolean;
}

export interface DnsLookupOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Finds the addresses of a zone's name servers; default: the system's resolver, port 53. */
  readonly findServers?: (zone: string) => Promise<DnsServer[]>;
}

export function createDnsLookup({ env, findServers = findByNs }: DnsLookupOptions): DnsLookup {
  const own = (env['SKYFERRY_DNS_SERVERS'] ?? '').trim() !== '';
  const askZone: DnsLookup['askZone'] = async (zone, name, signal) => {
    const servers = own ? dnsServersOf(env) : await findServers(canonicalName(zone));
    const answers = await Promise.all(
      servers.map(async (server) => await askOne(server, name, own, signal)),
    );
    const heard = answers.filter((answer) => answer !== null);
    if (heard.length > 0) return heard;
    throw new SkyferryFailure('SWITCH_FAILED', `no DNS server answers for ${zone}`, {
      next: 'let the worker reach the zone’s name servers by UDP and TCP, or name servers that know it in SKYFERRY_DNS_SERVERS',
    });
  };
  return {
    hasOwnServers: own,
    askZone,
    async askResolver(resolver, name, signal) {
      const server = parseDnsServer(resolver, 'resolver');
      const answer = await askOne(server, name, true, signal);
      if (answer !== null) return answer;
      throw new SkyferryFailure('SWITCH_FAILED', `the resolver ${resolver} does not answer`, {
        next: 'let the worker reach it by UDP and TCP',
      });
    },
  };
}

/** Null: it is not reached, or does not speak for the name (and is not one that was chosen for it). */
async function askOne(
  server: DnsServer,
  name: string,
  recursive: boolean,
  signal: AbortSignal,
): Promise<ServedCname | null> {
  try {
    const reply = await askServer(server, { name, type: 'CNAME' }, signal, { recursive });
    if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') return null;
    if (!recursive && !reply.authoritative) return null;
    const found = reply.answers.find((each) => isCnameOf(each, name));
    return {
      server: describeServer(server),
      value: found?.type === 'CNAME' ? canonicalName(found.data) : null,
      ttl: found?.type === 'CNAME' ? (found.ttl ?? null) : null,
      authoritative: reply.authoritative,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error, 'CONNECTION_LOST')) return null;
    throw error;
  }
}

function isCnameOf(answer: Answer, name: string): boolean {
  return answer.type === 'CNAME' && sameName(answer.name, name);
}

async function findByNs(zone: string): Promise<DnsServer[]> {
  const { Resolver } = await import('node:dns/promises');
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  const names = await resolver.resolveNs(zone).catch(() => []);
  const addresses = await Promise.all(
    names.map(async (name) => await resolver.resolve4(name).catch(() => [])),
  );
  // One address of each: they are the same server.
  return addresses.flatMap(([host]) => (host === undefined ? [] : [{ host, port: 53 }]));
}

const POLL_MS = 250;

/**
 * Asks again until every answer is as wanted; resolves to whether it came to that in time. Servers of
 * one zone are brought up to date one after another.
 */
export async function awaitServed(
  ask: () => Promise<readonly ServedCname[]>,
  isWanted: (served: ServedCname) => boolean,
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<{ served: readonly ServedCname[]; asWanted: boolean }> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const served = await ask();
    const asWanted = served.every(isWanted);
    if (asWanted || Date.now() >= deadline) return { served, asWanted };
    await sleep(POLL_MS, undefined, { signal });
  }
}
