import { createSocket } from 'node:dgram';
import type { Answer } from 'dns-packet';
import { decode, encode } from 'dns-packet';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openDumpSession } from '../../src/mysql/binlog/dump-socket.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { useNameServers } from '../../src/mysql/name-resolution.ts';
import { openRawConnection } from '../../src/mysql/open-raw-connection.ts';
import type { TestMysql } from '../servers.ts';
import { startMysql } from '../servers.ts';

const NAME = 'orders.db.internal.example';
let server: TestMysql;
let dns: Awaited<ReturnType<typeof serveNames>>;
let named: Endpoint;

beforeAll(async () => {
  [server, dns] = await Promise.all([
    startMysql(['--bind-address=127.0.0.1,127.0.0.2'], ['localhost', NAME, '127.0.0.1']),
    serveNames(),
  ]);
  named = { ...server.endpoint, host: NAME };
});
afterEach(() => useNameServers(undefined));
afterAll(async () => {
  dns.close();
  await server.stop();
});

test('a private name is found through the given name server by every kind of connection', async () => {
  useNameServers(dns.address);
  dns.addresses.set(NAME, '127.0.0.1');
  const rows = await withConnection(named, {}, (connection) => connection.query('SELECT 1 AS one'));
  expect(rows).toEqual([{ one: '1' }]);
  const raw = await openRawConnection(named);
  expect(String((await raw.rows('SELECT 2'))[0]?.[0])).toBe('2');
  await raw.close();
  const dump = await openDumpSession(named, undefined);
  expect(await dump.query('SELECT 3 AS three')).toEqual([{ three: '3' }]);
  dump.destroy();
});

test('without it the name is unknown; a record that moves is seen by the next login', async () => {
  const connect = () => withConnection(named, {}, (c) => c.query('SELECT 1'));
  await expect(connect()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  useNameServers(dns.address);
  dns.addresses.set(NAME, '127.0.0.99');
  await expect(connect()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  dns.addresses.set(NAME, '127.0.0.1');
  await expect(connect()).resolves.toHaveLength(1);
});

test('an alias that the certificate does not name is refused, however it resolves', async () => {
  useNameServers(dns.address);
  dns.addresses.set('alias.example', '127.0.0.1');
  const alias = { ...named, host: 'alias.example' };
  const connect = (endpoint: Endpoint) => withConnection(endpoint, {}, (c) => c.query('SELECT 1'));
  await expect(connect(alias)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await expect(connect({ ...alias, tls: { mode: 'disabled' } })).resolves.toHaveLength(1);
});

test('an address is verified as what it is: a certificate for localhost does not name it', async () => {
  const at = (host: string) => ({ ...server.endpoint, host });
  const connect = (host: string) => withConnection(at(host), {}, (c) => c.query('SELECT 1'));
  await expect(connect('127.0.0.1')).resolves.toHaveLength(1);
  await expect(connect('127.0.0.2')).rejects.toMatchObject({
    message: expect.stringContaining('HANDSHAKE_SSL_ERROR') as string,
  });
  await expect(openRawConnection(at('127.0.0.2'))).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
  });
});

test('a list that is none is refused at once', () => {
  expect(() => useNameServers('resolver.example:53')).toThrowError(/SKYFERRY_DNS_SERVERS/);
});

/** Answers A questions from `addresses`, everything else with NXDOMAIN. */
async function serveNames() {
  const addresses = new Map<string, string>();
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const { id, questions = [] } = decode(message);
    const answers = questions.flatMap(({ name, type }): Answer[] => {
      const data = addresses.get(name);
      return type === 'A' && data !== undefined ? [{ name, type, ttl: 300, data }] : [];
    });
    const rcode = answers.length > 0 ? 0 : 3;
    const flags = rcode;
    socket.send(
      encode({ type: 'response', id: id ?? 0, flags, questions, answers }),
      port,
      address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    addresses,
    address: `127.0.0.1:${socket.address().port}`,
    close: () => socket.close(),
  };
}
