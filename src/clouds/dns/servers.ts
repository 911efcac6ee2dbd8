import { isIP } from 'node:net';
import { SkyferryFailure } from '../../failures.ts';
import type { DnsServer } from './ask.ts';

const DNS_PORT = 53;

/** The servers that `SKYFERRY_DNS_SERVERS` names, separated by commas; empty: the system's count. */
export function dnsServersOf(env: Readonly<Record<string, string | undefined>>): DnsServer[] {
  const given = env['SKYFERRY_DNS_SERVERS'] ?? '';
  return given
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => parseDnsServer(text, 'SKYFERRY_DNS_SERVERS'));
}

/** `address` or `address:port`; an IPv6 address with a port stands in brackets. Throws CONFIG_INVALID. */
export function parseDnsServer(text: string, from: string): DnsServer {
  const bare = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:]+)(?::(\d+))?$/.exec(text);
  const [, host, port] = isIP(text) === 6 ? ['', text] : (bare ?? []);
  const number = port === undefined ? DNS_PORT : Number(port);
  if (host === undefined || isIP(host) === 0 || number < 1 || number > 65_535) {
    throw new SkyferryFailure('CONFIG_INVALID', `${from}: ${text} is no address of a DNS server`, {
      safe: 'nothing was changed',
      next: 'give an IP address, with :port when it is not 53',
    });
  }
  return { host, port: number };
}
