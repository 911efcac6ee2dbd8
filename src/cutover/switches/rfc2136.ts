import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Answer } from 'dns-packet';
import type { DnsServer } from '../../clouds/dns/ask.ts';
import { askServer, canonicalName, sameName } from '../../clouds/dns/ask.ts';
import { createDnsLookup } from '../../clouds/dns/authoritative.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { CnameRecord, CnameState } from './cname-record.ts';
import { fullName, markText, readMark } from './cname-record.ts';
import { CnameSwitch } from './cname-switch.ts';
import type { TsigKey } from './nsupdate.ts';
import { absolute, keyLine, sendUpdate } from './nsupdate.ts';
import type { Switch } from './switch.ts';

export interface Rfc2136SwitchOptions {
  readonly consumer: string;
  /** The zone's primary: `host` or `host:port`. */
  readonly server: string;
  readonly zone: string;
  /** Within the zone. */
  readonly record: string;
  readonly from: string;
  readonly to: string;
  readonly ttl: number;
  /** TSIG; called when it is used. */
  readonly key: () => Promise<TsigKey | null>;
  /** The beginning of nsupdate's command line; throws PROGRAM_MISSING when this worker has none. */
  readonly nsupdate: () => Promise<readonly string[]>;
}

/** A record set has no metadata: the former TTL stands in a TXT beside it, changed by the same update. */
const MARK_LABEL = '_skyferry-ttl';
const MARK_TTL = 60;

/**
 * A CNAME moved by one dynamic update: its prerequisite is the record as it was read, so that the
 * server itself refuses (NXRRSET) when somebody else was there.
 */
export function createRfc2136Switch(options: Rfc2136SwitchOptions): Switch {
  return new Rfc2136Switch(options);
}

class Rfc2136Switch extends CnameSwitch<Version> {
  readonly #options: Rfc2136SwitchOptions;
  readonly #name: string;

  constructor(options: Rfc2136SwitchOptions) {
    const name = fullName(options.record, options.zone);
    const what = `record ${name} on DNS server ${options.server}`;
    super(dynamicRecord({ ...options, name, what }), { ...options, name });
    this.#options = options;
    this.#name = name;
  }

  override async precondition(signal: AbortSignal): Promise<void> {
    const { key, nsupdate, from, to } = this.#options;
    [this.#name, from, to].forEach(hostName);
    const [tsig] = await Promise.all([key(), nsupdate()]);
    if (tsig !== null) keyLine(tsig);
    await super.precondition(signal);
  }
}

/** Of the mark: its text as it stands, or null. */
type Version = string | null;

function dynamicRecord({
  server,
  zone,
  key,
  nsupdate,
  name,
  what,
}: Rfc2136SwitchOptions & { name: string; what: string }): CnameRecord<Version> {
  const markName = `${MARK_LABEL}.${name}`;
  const refuse = (why: string, next: string): SkyferryFailure =>
    new SkyferryFailure('SWITCH_FAILED', `${what}: ${why}`, {
      safe: 'the record is unchanged',
      next,
    });

  return {
    what,
    async read(signal) {
      const primary = await addressOf(server);
      const [cname] = await answersOf(primary, name, 'CNAME', signal);
      if (cname?.type !== 'CNAME') {
        throw refuse(
          'is no CNAME record there',
          'correct server, zone and record in the configuration',
        );
      }
      const [mark] = await answersOf(primary, markName, 'TXT', signal);
      const version = mark?.type === 'TXT' ? [mark.data].flat().map(String).join('') : null;
      return {
        value: canonicalName(cname.data),
        ttl: cname.ttl ?? 0,
        lowered: readMark(version ?? undefined),
        version,
      };
    },
    async replace(was, next, signal) {
      const update = {
        server: await addressOf(server),
        zone: hostName(zone),
        key: await key(),
        lines: [
          ...changeOf(name, was, next),
          ...changeOfMark(markName, was.version, next.lowered === null ? null : markText(next.lowered)), // prettier-ignore
        ],
      };
      const outcome = await sendUpdate(await nsupdate(), update, signal);
      signal.throwIfAborted();
      if (outcome === 'done') return outcome;
      if (outcome === 'unknown') {
        throw new SkyferryFailure('CLOUD_BUSY', `${what}: the server answers to no update`, {
          next: `let the worker reach ${server} by TCP`,
        });
      }
      if (stale.has(outcome.refused)) return 'stale';
      throw refuse(`the update was refused: ${outcome.refused}`, whatHelps(outcome.refused));
    },
    async served(signal) {
      const servers = await serversOf(await addressOf(server), zone, signal);
      return await createDnsLookup({ env: {}, findServers: async () => servers }).askZone(
        zone,
        name,
        signal,
      );
    },
  };

  async function answersOf(
    primary: DnsServer,
    asked: string,
    type: 'CNAME' | 'TXT',
    signal: AbortSignal,
  ): Promise<Answer[]> {
    const reply = await askServer(primary, { name: asked, type }, signal);
    if (reply.authoritative) return reply.answers.filter((each) => sameName(each.name, asked));
    throw refuse(
      `the server does not speak for ${zone} (response code ${reply.rcode})`,
      'name the zone’s primary as `server`',
    );
  }
}

function changeOf(
  name: string,
  was: CnameState<Version>,
  next: { readonly value: string; readonly ttl: number },
): string[] {
  const [owner, before] = [hostName(name), hostName(was.value)];
  return [
    `prereq yxrrset ${owner} IN CNAME ${before}`,
    `update delete ${owner} IN CNAME ${before}`,
    `update add ${owner} ${next.ttl} IN CNAME ${hostName(next.value)}`,
  ];
}

function changeOfMark(name: string, was: string | null, next: string | null): string[] {
  if (was === next) return [];
  const owner = hostName(name);
  return [
    was === null
      ? `prereq nxrrset ${owner} IN TXT`
      : `prereq yxrrset ${owner} IN TXT ${quoted(was)}`,
    `update delete ${owner} IN TXT`,
    ...(next === null ? [] : [`update add ${owner} ${MARK_TTL} IN TXT ${quoted(next)}`]),
  ];
}

/** The primary, and the servers of the NS records, which take over from it; all on its port. */
async function serversOf(
  primary: DnsServer,
  zone: string,
  signal: AbortSignal,
): Promise<DnsServer[]> {
  const { answers } = await askServer(primary, { name: zone, type: 'NS' }, signal);
  const names = answers.flatMap((each) => (each.type === 'NS' ? [each.data] : []));
  const hosts = await Promise.all(
    names.map(async (name) => {
      const reply = await askServer(primary, { name, type: 'A' }, signal);
      const [inZone] = reply.answers.flatMap((each) => (each.type === 'A' ? [each.data] : []));
      return inZone ?? (await lookup(name, { family: 4 }).catch(() => null))?.address ?? null;
    }),
  );
  const all = new Set([primary.host, ...hosts.filter((host) => host !== null)]);
  return [...all].map((host) => ({ host, port: primary.port }));
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

/** Nothing but a name: it becomes part of a line of nsupdate's. */
function hostName(text: string): string {
  if (/^[\w.-]+$/.test(text)) return absolute(text);
  throw new SkyferryFailure('SWITCH_FAILED', `${JSON.stringify(text)} is not a host name`, {
    safe: 'the record is unchanged',
    next: 'correct zone, record, from and to in the configuration',
  });
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (c) => `\\${c}`)}"`;
}

/** A prerequisite did not hold. */
const stale: ReadonlySet<string> = new Set(['NXRRSET', 'YXRRSET', 'NXDOMAIN', 'YXDOMAIN']);

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
      return `let the zone’s update-policy grant this key CNAME records of this name, and TXT records of ${MARK_LABEL} below it`;
    case 'NOTZONE':
      return 'the record does not lie in that zone: correct zone and record';
    default:
      return 'read the DNS server’s log';
  }
}
