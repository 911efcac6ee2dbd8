import { Resolver } from 'node:dns/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askServer } from '../../../src/clouds/dns/ask.ts';
import type { RunningNameServer } from '../../../src/sandbox/clouds/name-server.ts';
import { startNameServer } from '../../../src/sandbox/clouds/name-server.ts';

const signal = AbortSignal.timeout(60_000);
let names: RunningNameServer;

beforeEach(async () => {
  names = await startNameServer();
});
afterEach(async () => await names.close());

const ask = async (name: string, type: 'A' | 'CNAME' | 'TXT' | 'NS') => {
  const [host = '', port] = names.address.split(':');
  return await askServer({ host, port: Number(port) }, { name, type }, signal);
};
const RDS = 'orders.abc123.eu-central-1.rds.amazonaws.com';

describe('the name server of the sandbox', () => {
  test('follows a CNAME to a server of the fleet, with each TTL as it was set', async () => {
    names.setAddress(RDS, '127.0.0.11');
    names.setZone('corp.example', [
      { name: 'db.corp.example', type: 'CNAME', ttl: 300, data: `${RDS}.` },
    ]);
    const reply = await ask('DB.corp.example', 'A');
    expect(reply).toMatchObject({ rcode: 'NOERROR', authoritative: true });
    expect(reply.answers).toMatchObject([
      { name: 'DB.corp.example', type: 'CNAME', ttl: 300, data: RDS },
      { name: RDS, type: 'A', ttl: 5, data: '127.0.0.11' },
    ]);
    expect((await ask('db.corp.example', 'CNAME')).answers).toHaveLength(1);

    const resolver = new Resolver({ timeout: 2_000 });
    resolver.setServers([names.address]);
    expect(await resolver.resolve4('db.corp.example')).toEqual(['127.0.0.11']);
  });

  test('tells a name without data from no such name and from somebody else’s zone', async () => {
    names.setZone('corp.example', [
      { name: 'a.b.corp.example', type: 'A', ttl: 1, data: '127.0.0.9' },
    ]);
    const nothing = { rcode: 'NOERROR', authoritative: true, answers: [] };
    expect(await ask('b.corp.example', 'A')).toEqual(nothing);
    expect(await ask('a.b.corp.example', 'CNAME')).toEqual(nothing);
    expect(await ask('c.corp.example', 'A')).toEqual({ ...nothing, rcode: 'NXDOMAIN' });
    expect(await ask('example.org', 'A')).toMatchObject({ rcode: 5, authoritative: false });
    expect((await ask('corp.example', 'NS')).answers).toMatchObject([{ data: 'ns1.corp.example' }]);
  });

  test('forgets a server that is gone and serves a zone as it was last set', async () => {
    names.setAddress(RDS, '127.0.0.11');
    names.setZone('corp.example', [{ name: 'x.corp.example', type: 'A', ttl: 1, data: '1.2.3.4' }]);
    names.removeAddress(RDS);
    names.setZone('corp.example', []);
    expect((await ask(RDS, 'A')).rcode).toBe('NXDOMAIN');
    expect((await ask('x.corp.example', 'A')).rcode).toBe('NXDOMAIN');
  });

  test('gives by TCP what does not fit into a datagram', async () => {
    const long = 'x'.repeat(4_000);
    names.setZone('corp.example', [{ name: 'corp.example', type: 'TXT', ttl: 9, data: long }]);
    const [answer] = (await ask('corp.example', 'TXT')).answers;
    if (answer?.type !== 'TXT' || !Array.isArray(answer.data)) throw new Error('no TXT came');
    expect(Buffer.concat(answer.data.map((chunk) => Buffer.from(chunk))).toString()).toBe(long);
  });

  test('a CNAME that leads in a circle is answered, not followed for ever', async () => {
    names.setZone('corp.example', [
      { name: 'a.corp.example', type: 'CNAME', ttl: 1, data: 'b.corp.example' },
      { name: 'b.corp.example', type: 'CNAME', ttl: 1, data: 'a.corp.example' },
    ]);
    expect((await ask('a.corp.example', 'A')).rcode).toBe('NOERROR');
  });
});
