import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAzureClients } from '../../../src/clouds/azure/clients.ts';
import { createDnsLookup } from '../../../src/clouds/dns/authoritative.ts';
import { createAzureDnsSwitch } from '../../../src/cutover/switches/azure-dns.ts';
import { createAzurePrivateDnsSwitch } from '../../../src/cutover/switches/azure-private-dns.ts';
import type { Switch } from '../../../src/cutover/switches/switch.ts';
import {
  sandboxAdministrator,
  sandboxPrincipal,
} from '../../../src/sandbox/clouds/azure/principal.ts';
import { startNameServer } from '../../../src/sandbox/clouds/name-server.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';

const signal = AbortSignal.timeout(120_000);
const { subscription } = sandboxPrincipal;
const RG = 'rg-names';
const FROM = 'orders.abc.eu-central-1.rds.amazonaws.com';
const TO = 'orders.mysql.database.azure.com';
let clouds: TestClouds;
let zone = '';
let zones = 0;

beforeAll(async () => {
  clouds = await startClouds();
}, 60_000);
afterAll(async () => await clouds.stop());

const clients = (more: { [name: string]: string } = {}) =>
  createAzureClients({ env: { ...clouds.env, ...more }, ca: clouds.ca });
const administrator = () =>
  clients({
    AZURE_CLIENT_ID: sandboxAdministrator.client,
    AZURE_CLIENT_SECRET: sandboxAdministrator.secret,
  });
const lookup = () => createDnsLookup({ env: clouds.env });
const served = async () => {
  const [answer] = await lookup().askZone(zone, `db.${zone}`, signal);
  return [answer?.value, answer?.ttl];
};
const changesSent = async () =>
  (await clouds.requests()).filter(
    ({ operation }) =>
      operation === 'RecordSets_CreateOrUpdate' || operation === 'RecordSets_Update',
  ).length;

interface Record {
  readonly ttl?: number;
  readonly cnameRecord?: { cname: string };
  readonly metadata?: { [key: string]: string };
  readonly targetResource?: { id: string };
}

/** The two services through their own SDKs, whose arguments differ in their order. */
const services = {
  'azure-dns': {
    zone: async () => {
      const { zones: api } = await administrator().dns(subscription);
      await api.createOrUpdate(RG, zone, { location: 'global' });
    },
    put: async (record: Record) => {
      const { recordSets } = await administrator().dns(subscription);
      await recordSets.createOrUpdate(RG, zone, 'db', 'CNAME', record);
    },
    get: async (): Promise<Record> => {
      const { recordSets } = await administrator().dns(subscription);
      return (await recordSets.get(RG, zone, 'db', 'CNAME')) as Record;
    },
    make: (more: { ttl?: number; zone?: string } = {}): Switch =>
      createAzureDnsSwitch({ ...shared(), clients: clients(), ...more }),
  },
  'azure-private-dns': {
    zone: async () => {
      const { privateZones } = await administrator().privateDns(subscription);
      await privateZones.beginCreateOrUpdateAndWait(RG, zone, { location: 'global' });
    },
    put: async (record: Record) => {
      const { recordSets } = await administrator().privateDns(subscription);
      await recordSets.createOrUpdate(RG, zone, 'CNAME', 'db', record);
    },
    get: async (): Promise<Record> => {
      const { recordSets } = await administrator().privateDns(subscription);
      return (await recordSets.get(RG, zone, 'CNAME', 'db')) as Record;
    },
    make: (more: { ttl?: number; zone?: string } = {}): Switch =>
      createAzurePrivateDnsSwitch({
        ...shared(),
        clients: clients(),
        resolver: clouds.env['SKYFERRY_DNS_SERVERS'],
        ...more,
      }),
  },
};

const shared = () => ({
  consumer: 'shop',
  subscription,
  resourceGroup: RG,
  zone,
  record: 'db',
  from: FROM,
  to: `${TO}.`,
  ttl: 1,
  dns: lookup(),
});
const old = { ttl: 2, cnameRecord: { cname: FROM }, metadata: { owner: 'shop' } };

describe.each(['azure-dns', 'azure-private-dns'] as const)('the switch by %s', (kind) => {
  const service = services[kind];

  beforeEach(async () => {
    zone = `${kind}${zones++}.example`;
    await service.zone();
  });

  test('what is switched and undone is really served, and repeated it changes nothing', async () => {
    await service.put(old);
    const shop = service.make();
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
    expect(await served()).toEqual([FROM, 2]);
    await shop.undo(signal);
    expect(await service.get()).toMatchObject(old);
  });

  test('a record that somebody else has changed is refused and left as it is', async () => {
    await service.put(old);
    await service.put({ ...old, cnameRecord: { cname: 'third.example' } });
    for (const attempt of ['precondition', 'do', 'undo', 'probe', 'lowerTtl'] as const) {
      await expect(service.make()[attempt]?.(signal)).rejects.toMatchObject({
        code: 'SWITCH_FAILED',
        message: expect.stringContaining('third.example') as string,
      });
    }
    expect(await service.get()).toMatchObject({ cnameRecord: { cname: 'third.example' } });
  });

  test('an answer that is lost, and a service that is busy, are gone about', async () => {
    await service.put(old);
    const match = { service: 'azure', operation: 'RecordSets_CreateOrUpdate' };
    await clouds.faults([{ match, kind: 'drop-after' }]);
    await service.make().do(signal);
    expect(await served()).toEqual([TO, 2]);
    await clouds.faults([
      { match, kind: 'throttle' },
      { match, kind: 'conflict' },
      { match, kind: 'drop-before' },
    ]);
    await service.make().undo(signal);
    expect(await served()).toEqual([FROM, 2]);
  });

  test('the TTL is lowered once, remembered over a kill, and put back', async () => {
    await service.put({ ...old, ttl: 300 });
    const first = await service.make().lowerTtl?.(signal);
    expect(first?.formerTtl).toBe(300);
    expect(first?.waitMs).toBeGreaterThan(290_000);
    expect(await served()).toEqual([FROM, 1]);
    const again = await service.make().lowerTtl?.(signal);
    expect(again?.formerTtl).toBe(300);
    expect(again?.waitMs).toBeLessThanOrEqual(first?.waitMs ?? 0);
    await service.make().do(signal);
    await service.make().restoreTtl?.(300, signal);
    await service.make().restoreTtl?.(300, signal);
    const { ttl, metadata, cnameRecord } = await service.get();
    expect({ ttl, metadata, cnameRecord }).toEqual({
      ttl: 300,
      metadata: { owner: 'shop' },
      cnameRecord: { cname: TO },
    });
  });

  test('no record, no zone and a login without the right are refused', async () => {
    await expect(service.make().precondition(signal)).rejects.toThrow(/no CNAME of that name/);
    const elsewhere = service.make({ zone: 'elsewhere.example' });
    await expect(elsewhere.precondition(signal)).rejects.toThrow(/no such zone/);
    await service.put(old);
    const match = { service: 'azure', operation: 'RecordSets_CreateOrUpdate' };
    await clouds.faults([{ match, kind: 'refuse', status: 403, code: 'AuthorizationFailed' }]);
    await expect(service.make().do(signal)).rejects.toMatchObject({
      code: 'SWITCH_FAILED',
      message: expect.stringContaining('AuthorizationFailed') as string,
      detail: { safe: 'the record is unchanged' },
    });
    expect(await served()).toEqual([FROM, 2]);
  });
});

test('an alias of Azure DNS is refused by name', async () => {
  zone = `alias${zones++}.example`;
  const { zone: create, put, make } = services['azure-dns'];
  await create();
  await put({ ttl: 2, targetResource: { id: `/subscriptions/${subscription}/x` } });
  await expect(make().precondition(signal)).rejects.toThrow(/alias record/);
  await expect(make().do(signal)).rejects.toThrow(/alias record/);
});

test('somebody who changes it between reading and writing is not overwritten', async () => {
  zone = `race${zones++}.example`;
  const { zone: create, put, get } = services['azure-dns'];
  await create();
  await put(old);
  const client = await clients().dns(subscription);
  let raced = false;
  client.pipeline.addPolicy({
    name: 'somebody else',
    async sendRequest(request, next) {
      if (request.method === 'PUT' && !raced) {
        raced = true;
        await put({ ...old, cnameRecord: { cname: 'third.example' } });
      }
      return await next(request);
    },
  });
  const shop = createAzureDnsSwitch({ ...shared(), clients: { dns: async () => client } });
  await expect(shop.do(signal)).rejects.toThrow(/points to third\.example/);
  expect(raced).toBe(true);
  expect(await get()).toMatchObject({ cnameRecord: { cname: 'third.example' } });
});

test('a zone that its name servers do not serve is refused before anything is fenced', async () => {
  zone = `hidden${zones++}.example`;
  const { zone: create, put } = services['azure-dns'];
  await create();
  await put(old);
  const elsewhere = await startNameServer();
  elsewhere.setZone(zone, [{ name: `db.${zone}`, type: 'CNAME', ttl: 9, data: 'third.example' }]);
  const env = { SKYFERRY_DNS_SERVERS: elsewhere.address };
  const dns = createDnsLookup({ env });
  const shop = createAzureDnsSwitch({ ...shared(), clients: clients(), dns });
  await expect(shop.precondition(signal)).rejects.toThrow(/says third\.example/);
  await elsewhere.close();
  await expect(shop.precondition(signal)).rejects.toThrow(/no DNS server answers/);
});

test('without a resolver inside, a private zone is proved by the API alone', async () => {
  zone = `inside${zones++}.example`;
  const { zone: create, put } = services['azure-private-dns'];
  await create();
  await put(old);
  const { SKYFERRY_DNS_SERVERS: _, ...env } = clouds.env;
  const shop = createAzurePrivateDnsSwitch({
    ...shared(),
    clients: clients(),
    dns: createDnsLookup({ env }),
  });
  await expect(shop.probe(signal)).rejects.toThrow(/still points to/);
  await shop.do(signal);
  await expect(shop.probe(signal)).resolves.toBeUndefined();
});
