import type { LookupAddress, LookupOptions } from 'node:dns';
import { Resolver, lookup } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import { SkyferryFailure } from '../failures.ts';

const KEEPALIVE_MS = 15_000;
const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 3;

/** Of the whole process, set once where it begins: which resolver a network has is no migration's affair. */
let servers: readonly string[] = [];

/**
 * @param list `host:port` or `host`, IP addresses, separated by commas (SKYFERRY_DNS_SERVERS): for a worker
 *   whose own resolver does not know the servers' private zones. Without it the system resolves.
 * @throws CONFIG_INVALID
 */
export function useNameServers(list: string | undefined): void {
  const wanted = (list ?? '').split(',').map((text) => text.trim()).filter((text) => text !== ''); // prettier-ignore
  try {
    if (wanted.length > 0) resolverOf(wanted);
  } catch {
    throw new SkyferryFailure(
      'CONFIG_INVALID',
      `SKYFERRY_DNS_SERVERS is not a list of IP addresses, each with or without a port: ${wanted.join(',')}`,
      { next: 'write it like 10.0.0.2,10.0.0.3:5353' },
    );
  }
  servers = wanted;
}

/** A connecting socket to a host by name or address; errors come as the socket's events. */
export function connectSocket({ host, port }: { host: string; port: number }): Socket {
  const socket = connect({ host, port, noDelay: true, lookup: lookUp });
  // mysql2 names the server to TLS by a name only: Node then takes this, and without it `localhost`.
  if (isIP(host) !== 0) Object.assign(socket, { _host: host });
  return socket.setKeepAlive(true, KEEPALIVE_MS);
}

const lookUp: LookupFunction = (host, options, callback) => {
  if (servers.length === 0 || host === 'localhost') {
    lookup(host, options, callback);
    return;
  }
  ask(host, options, (error, addresses) => {
    const [first] = addresses;
    if (error !== null) callback(error, '');
    else if (options.all === true) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  });
};

type Answered = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

function ask(host: string, { family }: LookupOptions, answered: Answered): void {
  // One for each question: what a resolver remembers would outlive a record's TTL of seconds.
  const resolver = resolverOf(servers);
  const askSix = () =>
    resolver.resolve6(host, (error, found) => answered(error, withFamily(6, found)));
  if (family === 6 || family === 'IPv6') {
    askSix();
    return;
  }
  resolver.resolve4(host, (error, found) => {
    // The name exists, without an address of that family.
    if (error?.code === 'ENODATA' && family !== 4 && family !== 'IPv4') askSix();
    else answered(error, withFamily(4, found));
  });
}

/** Node gives none at all with an error. */
function withFamily(family: 4 | 6, found: readonly string[] | undefined): LookupAddress[] {
  return (found ?? []).map((address) => ({ address, family }));
}

function resolverOf(list: readonly string[]): Resolver {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  resolver.setServers(list);
  return resolver;
}
