import { createHash, createHmac } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { TLSSocket } from 'node:tls';

const CLIENT_SSL = 0x0800;

export interface TokenGateway {
  readonly port: number;
  /** In the order in which they came. */
  readonly tokens: string[];
  close(): void;
}

/**
 * What RDS puts before a server with IAM database authentication: it asks for a token in clear, over TLS
 * only, and lets those in that `accept` takes. Behind it a real server, whose account has no password.
 */
export async function startTokenGateway(
  upstream: { host: string; port: number },
  certificate: { key: string; certificate: string },
  accept: (token: string, user: string) => boolean,
): Promise<TokenGateway> {
  const tokens: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => {});
    void admit(client).catch(() => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const admit = async (plain: Socket) => {
    const behind = connect(upstream);
    behind.on('error', () => plain.destroy());
    plain.on('close', () => behind.destroy());
    plain.write(await packet(behind));
    const asked = await packet(plain);
    if ((asked.readUInt32LE(4) & CLIENT_SSL) === 0) throw new Error('no TLS, no token');
    const client = new TLSSocket(plain, {
      isServer: true,
      key: certificate.key,
      cert: certificate.certificate,
    });
    client.on('error', () => plain.destroy());
    const login = await packet(client);
    client.write(framed(Buffer.from('\u00femysql_clear_password\0', 'latin1'), 3));
    const answer = await packet(client);
    const token = answer.toString('utf8', 4, answer.length - 1);
    tokens.push(token);
    if (!accept(token, userOf(login))) {
      const denied = Buffer.from('\u00ff\u0015\u0004#28000Access denied', 'latin1');
      client.end(framed(denied, 5));
      return;
    }
    behind.write(framed(withoutPassword(login), 1));
    const welcome = await packet(behind);
    client.write(framed(welcome.subarray(4), 5));
    client.pipe(behind);
    behind.pipe(client);
  };
  const { port } = server.address() as { port: number };
  return {
    port,
    tokens,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** Signature version 4 of a query, computed anew from the key: whether a token is one that RDS would take. */
export function isSignedToken(
  token: string,
  { accessKeyId, secretKey, region }: { accessKeyId: string; secretKey: string; region: string },
  { host, port, user }: { host: string; port: number; user: string },
): boolean {
  const url = new URL(`https://${token}`);
  const signature = url.searchParams.get('X-Amz-Signature');
  url.searchParams.delete('X-Amz-Signature');
  const { searchParams: query } = url;
  const date = query.get('X-Amz-Date') ?? '';
  const scope = `${date.slice(0, 8)}/${region}/rds-db/aws4_request`;
  const canonical = [...query]
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join('&');
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest();
  const request = ['GET', '/', canonical, `host:${host}:${port}`, '', 'host', sha('')].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secretKey}`);
  const expected = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha(request)].join('\n'));
  return (
    url.host === `${host}:${port}` &&
    query.get('Action') === 'connect' &&
    query.get('DBUser') === user &&
    query.get('X-Amz-Credential') === `${accessKeyId}/${scope}` &&
    query.get('X-Amz-Expires') === '900' &&
    signature === expected.toString('hex')
  );
}

/** One whole packet with its header; what comes after it stays in the stream. */
async function packet(socket: Socket): Promise<Buffer> {
  const exactly = async (length: number): Promise<Buffer> => {
    for (;;) {
      const piece = socket.read(length) as Buffer | null;
      if (piece !== null) return piece;
      await new Promise<void>((resolve, reject) => {
        socket.once('readable', resolve);
        socket.once('close', reject);
      });
    }
  };
  const header = await exactly(4);
  return Buffer.concat([header, await exactly(header.readUIntLE(0, 3))]);
}

function framed(payload: Buffer, sequence: number): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
}

function userOf(login: Buffer): string {
  return login.toString('utf8', 36, login.indexOf(0, 36));
}

/** The client's own answer to the greeting, with an empty password and without TLS. */
function withoutPassword(login: Buffer): Buffer {
  const lengthAt = login.indexOf(0, 36) + 1;
  const rest = login.subarray(lengthAt + 1 + (login[lengthAt] ?? 0));
  const payload = Buffer.concat([login.subarray(4, lengthAt), Buffer.from([0]), rest]);
  payload.writeUInt32LE((payload.readUInt32LE(0) & ~CLIENT_SSL) >>> 0, 0);
  return payload;
}
