import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
} from '@aws-sdk/client-route-53';
import type { ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import { createDnsLookup } from '../../../src/clouds/dns/authoritative.ts';
import { createRoute53Switch } from '../../../src/cutover/switches/route53.ts';
import { sandboxUsers } from '../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';

const signal = AbortSignal.timeout(120_000);
const [FROM, TO] = [
  'orders.abc.eu-central-1.rds.amazonaws.com',
  'orders.mysql.database.azure.com',
] as const;
let clouds: TestClouds;
let administrator: Route53Client;
let zone = '';
let zoneId = '';
let zones = 0;

beforeAll(async () => {
  clouds = await startClouds();
  const { accessKeyId, secretAccessKey } = sandboxUsers.administrator;
  administrator = await clientsOf(accessKeyId, secretAccessKey).route53();
}, 60_000);
afterAll(async () => await clouds.stop());

beforeEach(async () => {
  zone = `switch${zones++}.example`;
  const command = new CreateHostedZoneCommand({ Name: zone, CallerReference: zone });
  const { HostedZone } = await administrator.send(command);
  zoneId = (HostedZone?.Id ?? '').replace('/hostedzone/', '');
});

const clientsOf = (key: string, secret: string) =>
  createAwsClients({
    env: { ...clouds.env, AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret },
    ca: clouds.ca,
  });
const lookup = () => createDnsLookup({ env: clouds.env });
const make = (more: { zone?: string; record?: string; ttl?: number } = {}) =>
  createRoute53Switch({
    consumer: 'shop',
    zoneId,
    zone,
    record: 'db',
    from: FROM,
    to: TO,
    ttl: 1,
    clients: createAwsClients({ env: clouds.env, ca: clouds.ca }),
    dns: lookup(),
    ...more,
  });
const change = async (Action: 'CREATE' | 'UPSERT', set: Partial<ResourceRecordSet> = {}) => {
  const ResourceRecordSet = {
    Name: `db.${zone}`,
    Type: 'CNAME' as const,
    TTL: 2,
    ResourceRecords: [{ Value: `${FROM}.` }],
    ...set,
  };
  const ChangeBatch = { Changes: [{ Action, ResourceRecordSet }] };
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch });
  await administrator.send(command);
};
const served = async () => {
  const [answer] = await lookup().askZone(zone, `db.${zone}`, signal);
  return [answer?.value, answer?.ttl];
};
const records = async () => {
  const command = new ListResourceRecordSetsCommand({ HostedZoneId: zoneId });
  const { ResourceRecordSets = [] } = await administrator.send(command);
  return ResourceRecordSets.map(({ Name, TTL, ResourceRecords }) =>
    [Name, TTL, ResourceRecords?.[0]?.Value].join(' '),
  );
};
const changesSent = async () =>
  (await clouds.requests()).filter(({ operation }) => operation === 'ChangeResourceRecordSets')
    .length;

describe('the switch by Route 53', () => {
  test('what is switched and undone is really served, and repeated it changes nothing', async () => {
    await change('CREATE');
    const shop = make();
    await shop.precondition(signal);
    await expect(shop.probe(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    await shop.do(signal);
    await shop.probe(signal);
    expect(await served()).toEqual([TO, 2]);
    await shop.precondition(signal);
    const before = await changesSent();
    await shop.do(signal);
    expect(await changesSent()).toBe(before);
    await shop.undo(signal);
    await expect.poll(served).toEqual([FROM, 2]);
    await shop.undo(signal);
  });

  test('a record that somebody else has changed is refused and left as it is', async () => {
    await change('CREATE');
    const shop = make();
    await shop.precondition(signal);
    await change('UPSERT', { ResourceRecords: [{ Value: 'third.example' }] });
    for (const attempt of ['precondition', 'do', 'undo', 'probe'] as const) {
      await expect(shop[attempt](signal)).rejects.toMatchObject({
        code: 'SWITCH_FAILED',
        message: expect.stringContaining('third.example') as string,
      });
    }
    expect(await records()).toEqual([`db.${zone}. 2 third.example`]);
  });

  test('somebody who changes it between reading and writing is not overwritten', async () => {
    await change('CREATE');
    const client = await createAwsClients({ env: clouds.env, ca: clouds.ca }).route53();
    let raced = false;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'ChangeResourceRecordSetsCommand' && !raced) {
            raced = true;
            await change('UPSERT', { ResourceRecords: [{ Value: 'third.example' }] });
          }
          return await next(args);
        },
      { step: 'initialize' },
    );
    const shop = createRoute53Switch({
      consumer: 'shop',
      zoneId,
      zone,
      record: 'db',
      from: FROM,
      to: TO,
      ttl: 1,
      clients: { route53: async () => client },
      dns: lookup(),
    });
    await expect(shop.do(signal)).rejects.toThrow(/points to third\.example/);
    expect(raced).toBe(true);
    expect(await records()).toEqual([`db.${zone}. 2 third.example`]);
  });

  test('an answer that is lost, and a service that is busy, are gone about', async () => {
    await change('CREATE');
    const match = { service: 'route53', operation: 'ChangeResourceRecordSets' };
    await clouds.faults([{ match, kind: 'drop-after' }]);
    await make().do(signal);
    expect(await records()).toEqual([`db.${zone}. 2 ${TO}.`]);
    await clouds.faults([
      { match, kind: 'conflict', times: 4 },
      { match, kind: 'drop-before' },
    ]);
    await make().undo(signal);
    expect(await records()).toEqual([`db.${zone}. 2 ${FROM}.`]);
  });

  test.for([
    ['weighted', { SetIdentifier: 'a', Weight: 1 }],
    ['failover', { SetIdentifier: 'a', Failover: 'PRIMARY' }],
    ['latency', { SetIdentifier: 'a', Region: 'eu-central-1' }],
    ['geolocation', { SetIdentifier: 'a', GeoLocation: { CountryCode: 'KR' } }],
  ] as const)('a %s record is refused by name', async ([kind, set]) => {
    await change('CREATE', set);
    const refusal = { code: 'SWITCH_FAILED', message: expect.stringContaining(kind) as string };
    await expect(make().precondition(signal)).rejects.toMatchObject(refusal);
    await expect(make().do(signal)).rejects.toMatchObject(refusal);
  });

  test('an alias, another type, no record and the vendor’s own name are refused', async () => {
    await expect(make().precondition(signal)).rejects.toThrow(/does not exist/);
    const AliasTarget = {
      HostedZoneId: zoneId,
      DNSName: `x.${zone}`,
      EvaluateTargetHealth: false,
    };
    await change('CREATE', {
      Type: 'A',
      TTL: undefined,
      ResourceRecords: undefined,
      AliasTarget,
    });
    await expect(make().precondition(signal)).rejects.toThrow(/alias/);
    await change('CREATE', {
      Name: `a.${zone}`,
      Type: 'A',
      ResourceRecords: [{ Value: '1.2.3.4' }],
    });
    await expect(make({ record: 'a' }).precondition(signal)).rejects.toThrow(/type A, not a CNAME/);
    const raw = make({ zone: 'eu-central-1.rds.amazonaws.com', record: 'orders.abc' });
    await expect(raw.precondition(signal)).rejects.toThrow(/vendor's own host name/);
  });

  test('the TTL is lowered once, remembered over a kill, and put back', async () => {
    await change('CREATE', { TTL: 300 });
    const first = await make().lowerTtl?.(signal);
    expect(first?.formerTtl).toBe(300);
    expect(first?.waitMs).toBeGreaterThan(290_000);
    expect(await served()).toEqual([FROM, 1]);
    const again = await make().lowerTtl?.(signal);
    expect(again?.formerTtl).toBe(300);
    expect(again?.waitMs).toBeLessThanOrEqual(first?.waitMs ?? 0);
    await make().do(signal);
    await make().restoreTtl?.(300, signal);
    await make().restoreTtl?.(300, signal);
    expect(await records()).toEqual([`db.${zone}. 300 ${TO}.`]);
  });

  test('a TTL that is low already is left alone, and one that somebody chose since is kept', async () => {
    await change('CREATE', { TTL: 20 });
    expect(await make({ ttl: 30 }).lowerTtl?.(signal)).toEqual({ formerTtl: 20, waitMs: 0 });
    await make({ ttl: 10 }).lowerTtl?.(signal);
    await change('UPSERT', { TTL: 77 });
    await make({ ttl: 10 }).restoreTtl?.(20, signal);
    expect(await records()).toEqual([`db.${zone}. 77 ${FROM}.`]);
  });

  test('a login that is not valid is named, and nothing is changed', async () => {
    await change('CREATE');
    const wrong = createRoute53Switch({
      consumer: 'shop',
      zoneId,
      zone,
      record: 'db',
      from: FROM,
      to: TO,
      ttl: 1,
      clients: clientsOf('AKIAUNKNOWN', 'unknown'),
      dns: lookup(),
    });
    await expect(wrong.do(signal)).rejects.toMatchObject({
      code: 'SWITCH_FAILED',
      message: expect.stringContaining('InvalidClientTokenId') as string,
    });
    expect(await records()).toEqual([`db.${zone}. 2 ${FROM}.`]);
  });
});
