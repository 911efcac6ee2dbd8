import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Answer, DecodedPacket, RecordType } from 'dns-packet';
import { SkyferryFailure } from '../../failures.ts';

/** A DNS server; an IPv4 or IPv6 address, so that asking one asks no other. */
export interface DnsServer {
  readonly host: string;
  readonly port: number;
}

export interface DnsReply {
  /** NOERROR, NXDOMAIN, or the number of another response code. */
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | number;
  /** The server speaks for the zone itself. */
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
}

const UDP_TIMEOUT_MS = 1_500;
const TCP_TIMEOUT_MS = 5_000;
const UDP_ATTEMPTS = 2;
/** Fits into every path without fragments. */
const UDP_PAYLOAD = 1_232;

/**
 * Asks one server one question, by UDP, and by TCP when the answer does not fit or none comes.
 * Throws CONNECTION_LOST when it cannot be reached or speaks something else.
 */
export async function askServer(
  server: DnsServer,
  question: { readonly name: string; readonly type: RecordType },
  signal: AbortSignal,
  /** For those who want an answer for the zone, not what somebody remembers: false. */
  { recursive = false } = {},
): Promise<DnsReply> {
  const { default: dns } = await import('dns-packet');
  const id = randomInt(0x1_0000);
  const query = dns.encode({
    type: 'query',
    id,
    flags: recursive ? dns.RECURSION_DESIRED : 0,
    questions: [question],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  const read = (bytes: Buffer): DecodedPacket | null => {
    try {
      const reply = dns.decode(bytes);
      const asked = reply.questions?.[0];
      const fits =
        reply.flag_qr &&
        reply.id === id &&
        asked?.type === question.type &&
        sameName(asked.name, question.name);
      return fits ? reply : null;
    } catch {
      return null;
    }
  };
  for (let attempt = 0; attempt < UDP_ATTEMPTS; attempt++) {
    const reply = await byUdp(server, query, read, signal);
    if (reply !== null && !reply.flag_tc) return toReply(reply);
    if (reply !== null) break;
  }
  const reply = await byTcp(server, query, read, signal);
  if (reply === null) {
    throw new SkyferryFailure(
      'CONNECTION_LOST',
      `DNS server ${describeServer(server)} does not answer`,
      {
        next: 'let the worker reach it by UDP and TCP, or set SKYFERRY_DNS_SERVERS',
      },
    );
  }
  return toReply(reply);
}

export function sameName(a: string, b: string): boolean {
  return canonicalName(a) === canonicalName(b);
}

/** Lower case, without the dot at the end. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

type Read = (bytes: Buffer) => DecodedPacket | null;

async function byUdp(
  { host, port }: DnsServer,
  query: Buffer,
  read: Read,
  signal: AbortSignal,
): Promise<DecodedPacket | null> {
  signal.throwIfAborted();
  return await new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const finish = (reply: DecodedPacket | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(reply);
    };
    const giveUp = (): void => finish(null);
    const timer = setTimeout(giveUp, UDP_TIMEOUT_MS);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.on('error', giveUp);
    socket.on('message', (bytes) => {
      // Anybody can send a datagram here: only the answer to this question counts.
      const reply = read(bytes);
      if (reply !== null) finish(reply);
    });
    // A connected socket takes datagrams of that server alone and hears that nobody listens there.
    socket.connect(port, host, () => {
      socket.send(query, (error) => {
        if (error !== null) giveUp();
      });
    });
  });
}

async function byTcp(
  { host, port }: DnsServer,
  query: Buffer,
  read: Read,
  signal: AbortSignal,
): Promise<DecodedPacket | null> {
  signal.throwIfAborted();
  return await new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (reply: DecodedPacket | null): void => {
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(reply);
    };
    const giveUp = (): void => finish(null);
    let received = Buffer.alloc(0);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.setTimeout(TCP_TIMEOUT_MS, giveUp);
    socket.on('error', giveUp);
    socket.on('close', giveUp);
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      finish(read(received.subarray(2, 2 + received.readUInt16BE(0))));
    });
  });
}

function toReply(packet: DecodedPacket): DnsReply {
  const code = (packet.flags ?? 0) & 0xf;
  return {
    rcode: code === 0 ? 'NOERROR' : code === 3 ? 'NXDOMAIN' : code,
    authoritative: packet.flag_aa,
    answers: packet.answers ?? [],
  };
}

export function describeServer({ host, port }: DnsServer): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
