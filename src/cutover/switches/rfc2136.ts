import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { DnsServer } from '../../clouds/dns/ask.ts';
import { askServer, sameName } from '../../clouds/dns/ask.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { TsigKey } from './nsupdate.ts';
import { absolute, sendUpdate } from './nsupdate.ts';
import type { Switch } from './switch.ts';

export interface Rfc2136SwitchOptions {
  readonly consumer: string;
  /** The zone's primary: `host` or `host:port`. */
  readonly server: string;
  readonly zone: string;
  /** Relative to the zone. */
  readonly record: string;
  readonly from: string;
  readonly to: string;
  /** TSIG; called when it is used. */
  readonly key: () => Promise<TsigKey | null>;
  /** The beginning of nsupdate's command line; PROGRAM_MISSING when this worker has none. */
  readonly nsupdate: () => Promise<readonly string[]>;
}

/**
 * A CNAME moved by one dynamic update: its prerequisite is the record as it must be now, so that the
 * server itself refuses (NXRRSET) when somebody else was there.
 */
export function createRfc2136Switch(options: Rfc2136SwitchOptions): Switch {
  const { consumer, zone, record, from, to } = options;
  const name = `${record}.${zone}`.replace(/\.$/, '');
  const refuse = (what: string, detail: { safe?: string; next?: string } = {}): SkyferryFailure =>
    new SkyferryFailure('SWITCH_FAILED', `record ${name}: ${what}`, {
      safe: 'the record is unchanged',
      ...detail,
    });

  const look = async (signal: AbortSignal): Promise<{ target: string; ttl: number }> => {
    const reply = await askServer(
      await addressOf(options.server),
      { name, type: 'CNAME' },
      signal,
    ).catch((error: unknown) => {
      signal.throwIfAborted();
      throw refuse(error instanceof Error ? error.message : 'its server cannot be asked');
    });
    if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') {
      throw refuse(`server ${options.server} answers with response code ${reply.rcode}`);
    }
    if (!reply.authoritative) {
      throw refuse(`server ${options.server} is not authoritative for ${zone}`);
    }
    const [found] = reply.answers.filter((each) => sameName(each.name, name));
    if (found?.type !== 'CNAME') throw refuse('is no CNAME record');
    return { target: found.data, ttl: found.ttl ?? 0 };
  };

  const stale = (target: string): SkyferryFailure =>
    refuse(`points to ${target}, which the configuration does not name`, {
      next: `find out who changed it; then set it back to ${from}, or correct the configuration`,
    });

  const move = async (before: string, after: string, signal: AbortSignal): Promise<void> => {
    const { target, ttl } = await look(signal);
    if (sameName(target, after)) return;
    if (!sameName(target, before)) throw stale(target);
    await update([
      `prereq yxrrset ${word(name)} IN CNAME ${word(before)}`,
      `update delete ${word(name)} IN CNAME ${word(before)}`,
      `update add ${word(name)} ${ttl} IN CNAME ${word(after)}`,
    ]);

    async function update(lines: readonly string[]): Promise<void> {
      const outcome = await sendUpdate(
        await options.nsupdate(),
        { server: await addressOf(options.server), zone, key: await options.key(), lines },
        signal,
      );
      if (outcome === 'done') return;
      // The answer may have been lost, or somebody was faster.
      const now = await look(signal);
      if (sameName(now.target, after)) return;
      if (!sameName(now.target, before)) throw stale(now.target);
      throw outcome === 'unknown'
        ? refuse('its server answered to no update', {
            next: `let the worker reach ${options.server} by TCP`,
          })
        : refuse(`the update was refused: ${outcome.refused}`, {
            next: whatHelps(outcome.refused),
          });
    }
  };

  const word = (text: string): string => {
    if (/^[\w.-]+$/.test(text)) return absolute(text);
    throw refuse('is not a host name', { next: 'correct zone, record, from and to' });
  };

  return {
    consumer,
    describe: () => `on DNS server ${options.server}, ${name} from ${from} to ${to}`,
    async precondition(signal) {
      [zone, name, from, to].forEach(word);
      await Promise.all([options.nsupdate(), options.key()]);
      const { target } = await look(signal);
      if (!sameName(target, from) && !sameName(target, to)) throw stale(target);
    },
    do: async (signal) => await move(from, to, signal),
    undo: async (signal) => await move(to, from, signal),
    async probe(signal) {
      const { target } = await look(signal);
      if (!sameName(target, to)) {
        throw refuse(`is still served as ${target}`, { safe: 'the record was looked at only' });
      }
    },
  };
}

/** As one address, so that what is changed is what is asked afterwards. */
async function addressOf(server: string): Promise<DnsServer> {
  const [host = '', port = '53'] = server.split(':');
  if (isIP(host) !== 0) return { host, port: Number(port) };
  const { address } = await lookup(host).catch(() => {
    throw new SkyferryFailure('SWITCH_FAILED', `the name of DNS server ${host} is not known here`, {
      safe: 'nothing was sent',
    });
  });
  return { host: address, port: Number(port) };
}

/** Response codes of RFC 2136 and RFC 8945. */
function whatHelps(code: string): string {
  switch (code) {
    case 'BADKEY':
    case 'BADSIG':
    case 'NOTAUTH':
      return 'the server does not accept this TSIG key: compare its name, algorithm and secret';
    case 'BADTIME':
      return 'the clocks of this worker and of the DNS server differ: set them right';
    case 'REFUSED':
      return 'let the zone’s update-policy grant this key CNAME records of this name';
    case 'NOTZONE':
      return 'the record does not lie in that zone: correct zone and record';
    default:
      return 'read the DNS server’s log';
  }
}
