import { createSocket } from 'node:dgram';
import type { Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Answer, DecodedPacket, Packet } from 'dns-packet';
import dnsPacket from 'dns-packet';
import type { NameServer } from './service.ts';
import type { DnsRecord, Found } from './zone-data.ts';
import { ZoneData } from './zone-data.ts';

export interface RunningNameServer extends NameServer {
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** What fits into a datagram when the asker says nothing about it. */
const PLAIN_UDP_BYTES = 512;
const NEGATIVE_TTL = 1;
const PORT_ATTEMPTS = 20;

const RCODE = { found: 0, 'no-data': 0, 'no-such-name': 3, outside: 5 } as const;
const FORMAT_ERROR = 1;
const NOT_IMPLEMENTED = 4;

/** An authoritative DNS server on loopback, UDP and TCP on one port; 0 takes a free one. */
export async function startNameServer({ port = 0 } = {}): Promise<RunningNameServer> {
  const data = new ZoneData();
  const { tcp, udp, bound } = await bindBoth(port);
  const connections = new Set<Socket>();
  udp.on('message', (message, from) => {
    const answer = answerTo(data, message, 'udp');
    if (answer !== null) udp.send(answer, from.port, from.address, () => {});
  });
  // An ICMP answer to a datagram nobody waits for any more comes as an error.
  udp.on('error', () => {});
  tcp.on('connection', (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => connection.destroy());
    serveConnection(data, connection);
  });
  return {
    address: `${HOST}:${bound}`,
    setAddress: (hostName, ip) => data.setAddress(hostName, ip),
    removeAddress: (hostName) => data.removeAddress(hostName),
    setZone: (zone, records) => data.setZone(zone, records),
    async close() {
      for (const connection of connections) connection.destroy();
      await Promise.all([
        new Promise<void>((resolve) => tcp.close(() => resolve())),
        new Promise<void>((resolve) => udp.close(resolve)),
      ]);
    },
  };
}

/** A port that is free for TCP may be taken for UDP: then another one. */
async function bindBoth(port: number): Promise<{ tcp: Server; udp: Datagrams; bound: number }> {
  for (let attempt = 1; ; attempt++) {
    const tcp = createServer();
    tcp.listen(port, HOST);
    await once(tcp, 'listening');
    const address = tcp.address();
    const bound = typeof address === 'object' && address !== null ? address.port : port;
    const udp = createSocket('udp4');
    try {
      udp.bind(bound, HOST);
      await once(udp, 'listening');
      return { tcp, udp, bound };
    } catch (error) {
      udp.close();
      await new Promise((resolve) => tcp.close(resolve));
      if (port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Each message has its length, two octets, in front. */
function serveConnection(data: ZoneData, connection: Socket): void {
  let received = Buffer.alloc(0);
  connection.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const answer = answerTo(data, received.subarray(2, end), 'tcp');
      received = received.subarray(end);
      if (answer === null) return void connection.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      connection.write(Buffer.concat([length, answer]));
    }
  });
}

function answerTo(data: ZoneData, message: Buffer, over: 'udp' | 'tcp'): Buffer | null {
  let query: DecodedPacket;
  try {
    query = dnsPacket.decode(message);
  } catch {
    return null;
  }
  if (query.flag_qr) return null;
  const response = respond(data, query);
  const encoded = dnsPacket.encode(response);
  if (over === 'tcp' || encoded.length <= datagramBytes(query)) return encoded;
  return dnsPacket.encode({
    ...response,
    flags: (response.flags ?? 0) | dnsPacket.TRUNCATED_RESPONSE,
    answers: [],
    authorities: [],
  });
}

function respond(data: ZoneData, query: DecodedPacket): Packet {
  const { id = 0, questions = [] } = query;
  const [question] = questions;
  const recursionDesired = (query.flags ?? 0) & dnsPacket.RECURSION_DESIRED;
  const reply = (flags: number, sections: Partial<Packet> = {}): Packet => ({
    type: 'response',
    id,
    flags: flags | recursionDesired,
    questions,
    ...sections,
  });
  if (((query.flags ?? 0) >> 11) & 0xf) return reply(NOT_IMPLEMENTED);
  if (question === undefined || questions.length > 1) return reply(FORMAT_ERROR);
  const found = data.find(question.name, question.type);
  if (found.status === 'outside') return reply(RCODE.outside);
  return reply(RCODE[found.status] | dnsPacket.AUTHORITATIVE_ANSWER, {
    answers: found.records.map((record) => toAnswer(record, question.name)),
    authorities: authorities(found),
  });
}

/** The asker's own spelling comes back: some check it against what they asked. */
function toAnswer({ name, type, ttl, data }: DnsRecord, asked: string): Answer {
  const shown = name === asked.toLowerCase() ? asked : name;
  return type === 'TXT'
    ? { name: shown, type, ttl, data: chunksOf255(data) }
    : { name: shown, type, ttl, data };
}

function chunksOf255(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 255) chunks.push(bytes.subarray(at, at + 255));
  return chunks;
}

/** Whoever learns that there is nothing must know for how long that may be remembered. */
function authorities({ status, zone }: Found): Answer[] {
  if (status === 'found' || zone === null) return [];
  const soa = { mname: `ns1.${zone}`, rname: `hostmaster.${zone}`, minimum: NEGATIVE_TTL };
  return [
    {
      name: zone,
      type: 'SOA',
      ttl: NEGATIVE_TTL,
      data: { ...soa, serial: 1, refresh: 60, retry: 60, expire: 3600 },
    },
  ];
}

function datagramBytes({ additionals = [] }: DecodedPacket): number {
  const edns = additionals.find((each) => each.type === 'OPT');
  return Math.max(PLAIN_UDP_BYTES, edns?.type === 'OPT' ? edns.udpPayloadSize : 0);
}
