import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDnsLookup } from '../../../src/clouds/dns/authoritative.ts';
import { parseDnsServer } from '../../../src/clouds/dns/servers.ts';
import type { RunningNameServer } from '../../../src/sandbox/clouds/name-server.ts';
import { startNameServer } from '../../../src/sandbox/clouds/name-server.ts';

const signal = AbortSignal.timeout(60_000);
const NAME = 'db.corp.example';
let [one, two]: RunningNameServer[] = [];

beforeEach(async () => {
  [one, two] = await Promise.all([startNameServer(), startNameServer()]);
});
afterEach(async () => {
  await Promise.all([one?.close(), two?.close()]);
});

const serverOf = (names: RunningNameServer | undefined) =>
  parseDnsServer(names?.address ?? '', 'test');
const serve = (names: RunningNameServer | undefined, data: string, ttl: number) =>
  names?.setZone('corp.example', [{ name: NAME, type: 'CNAME', ttl, data }]);

describe('asking the servers of a zone', () => {
  test('each of them is asked, so that one that lags behind is seen', async () => {
    serve(one, 'new.example', 30);
    serve(two, 'old.example', 300);
    const lookup = createDnsLookup({
      env: {},
      findServers: async () => [serverOf(one), serverOf(two)],
    });
    expect(await lookup.askZone('corp.example', NAME, signal)).toMatchObject([
      { value: 'new.example', ttl: 30, authoritative: true },
      { value: 'old.example', ttl: 300, authoritative: true },
    ]);
  });

  test('one that is away or holds another zone does not count; none at all is a failure', async () => {
    serve(one, 'new.example', 30);
    const silent = createSocket('udp4');
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    const away = { host: '127.0.0.1', port: silent.address().port };
    const lookup = (...servers: { host: string; port: number }[]) =>
      createDnsLookup({ env: {}, findServers: async () => servers });
    const some = lookup(away, serverOf(one), serverOf(two));
    expect(await some.askZone('corp.example', NAME, signal)).toHaveLength(1);
    const none = lookup(away, serverOf(two));
    await expect(none.askZone('corp.example', NAME, signal)).rejects.toMatchObject({
      code: 'SWITCH_FAILED',
    });
    silent.close();
  });

  test('SKYFERRY_DNS_SERVERS takes the place of the zone’s own; a record that is gone has no value', async () => {
    serve(one, 'new.example', 30);
    const lookup = createDnsLookup({
      env: { SKYFERRY_DNS_SERVERS: one?.address },
      findServers: async () => [serverOf(two)],
    });
    expect(await lookup.askZone('corp.example', NAME, signal)).toMatchObject([
      { value: 'new.example' },
    ]);
    const gone = await lookup.askZone('corp.example', 'no.corp.example', signal);
    expect(gone).toMatchObject([{ value: null, ttl: null }]);
  });

  test('addresses are read with and without a port, and nothing else is one', () => {
    const read = (text: string) => parseDnsServer(text, 'x');
    expect(read('10.0.0.2')).toEqual({ host: '10.0.0.2', port: 53 });
    expect(read('10.0.0.2:5353')).toEqual({ host: '10.0.0.2', port: 5353 });
    expect(read('fd00::2')).toEqual({ host: 'fd00::2', port: 53 });
    expect(read('[fd00::2]:5353')).toEqual({ host: 'fd00::2', port: 5353 });
    for (const wrong of ['dns.example', '10.0.0.2:0', '10.0.0.2:70000', '10.0.0.2:x', '']) {
      expect(() => read(wrong)).toThrow(/no address of a DNS server/);
    }
  });
});
