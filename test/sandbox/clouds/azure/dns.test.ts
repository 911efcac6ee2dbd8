import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAzureClients } from '../../../../src/clouds/azure/clients.ts';
import { createDnsLookup } from '../../../../src/clouds/dns/authoritative.ts';
import {
  sandboxAdministrator,
  sandboxPrincipal,
} from '../../../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';

const { subscription, tenant } = sandboxPrincipal;
const [RG, ZONE] = ['rg-names', 'names.example'] as const;
const PATH = `/subscriptions/${subscription}/resourceGroups/${RG}/providers/Microsoft.Network/dnsZones/${ZONE}`;
let clouds: TestClouds;

beforeAll(async () => {
  clouds = await startClouds();
  await (await dns()).zones.createOrUpdate(RG, ZONE, { location: 'global' });
}, 60_000);
afterAll(async () => await clouds.stop());

const dns = async (principal: { client: string; secret: string } = sandboxAdministrator) =>
  await createAzureClients({
    env: {
      ...clouds.env,
      AZURE_CLIENT_ID: principal.client,
      AZURE_CLIENT_SECRET: principal.secret,
    },
    ca: clouds.ca,
  }).dns(subscription);
const cname = (value: string) => ({ ttl: 60, cnameRecord: { cname: value } });

describe('the sandbox’s Azure DNS, through the SDK', () => {
  test('changes a record set only under the etag that was seen', async () => {
    const { recordSets } = await dns();
    const made = await recordSets.createOrUpdate(RG, ZONE, 'a', 'CNAME', cname('x.example'));
    const changed = await recordSets.update(RG, ZONE, 'a', 'CNAME', cname('y.example'), {
      ifMatch: made.etag ?? '',
    });
    expect(changed.etag).not.toBe(made.etag);
    const stale = { ifMatch: made.etag ?? '' };
    const refused = { statusCode: 412, code: 'PreconditionFailed' };
    for (const attempt of [
      () => recordSets.update(RG, ZONE, 'a', 'CNAME', cname('z.example'), stale),
      () => recordSets.createOrUpdate(RG, ZONE, 'a', 'CNAME', cname('z.example'), stale),
      () =>
        recordSets.createOrUpdate(RG, ZONE, 'a', 'CNAME', cname('z.example'), { ifNoneMatch: '*' }),
      () => recordSets.createOrUpdate(RG, ZONE, 'new', 'CNAME', cname('z.example'), stale),
      () => recordSets.delete(RG, ZONE, 'a', 'CNAME', stale),
    ]) {
      await expect(attempt()).rejects.toMatchObject(refused);
    }
    expect(await recordSets.get(RG, ZONE, 'a', 'CNAME')).toEqual(changed);
  });

  test('serves what it holds, also after a restart', async () => {
    const { recordSets } = await dns();
    await recordSets.createOrUpdate(RG, ZONE, 'b', 'CNAME', cname('x.example'));
    await recordSets.createOrUpdate(RG, ZONE, 'gone', 'CNAME', cname('x.example'));
    await recordSets.delete(RG, ZONE, 'gone', 'CNAME');
    await clouds.kill();
    await clouds.restart();
    const lookup = createDnsLookup({ env: clouds.env });
    const ask = async (name: string) =>
      await lookup.askZone(ZONE, `${name}.${ZONE}`, AbortSignal.timeout(10_000));
    expect(await ask('b')).toMatchObject([{ value: 'x.example', ttl: 60, authoritative: true }]);
    expect(await ask('gone')).toMatchObject([{ value: null, ttl: null }]);
  });

  test('denies what the documented role does not grant', async () => {
    const { recordSets, zones } = await dns(sandboxPrincipal);
    await recordSets.createOrUpdate(RG, ZONE, 'mine', 'CNAME', cname('x.example'));
    const denied = { statusCode: 403, code: 'AuthorizationFailed' };
    const txt = { ttl: 60, txtRecords: [{ value: ['x'] }] };
    for (const attempt of [
      () => recordSets.createOrUpdate(RG, ZONE, 'mine', 'TXT', txt),
      () => recordSets.delete(RG, ZONE, 'mine', 'CNAME'),
      () => zones.createOrUpdate(RG, 'other.example', { location: 'global' }),
    ]) {
      await expect(attempt()).rejects.toMatchObject(denied);
    }
  });

  test('refuses what the specification of that version does not know', async () => {
    const { client_id, client_secret } = {
      client_id: sandboxPrincipal.client,
      client_secret: sandboxPrincipal.secret,
    };
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id,
      client_secret,
      scope: `${clouds.url}/.default`,
    });
    const login = await clouds.fetch(`/${tenant}/oauth2/v2.0/token`, {
      method: 'POST',
      body: form.toString(),
    });
    const { access_token: token } = JSON.parse(login.body) as { access_token: string };
    const put = async (version: string, properties: object) => {
      const { status, body } = await clouds.fetch(`${PATH}/CNAME/raw?api-version=${version}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ properties }),
      });
      const { error } = JSON.parse(body) as { error?: { code: string } };
      return [status, error?.code];
    };
    const valid = { TTL: 60, CNAMERecord: { cname: 'x.example' } };
    expect(await put('2018-05-01', valid)).toEqual([201, undefined]);
    expect(await put('2020-06-01', valid)).toEqual([400, 'InvalidResourceType']);
    expect(await put('2018-05-01', { ...valid, weight: 1 })).toEqual([
      400,
      'InvalidRequestContent',
    ]);
    const spelledPrivately = { ttl: 60, cnameRecord: { cname: 'x.example' } };
    expect(await put('2018-05-01', spelledPrivately)).toEqual([400, 'InvalidRequestContent']);
    expect(await put('2018-05-01', { TTL: 60 })).toEqual([400, 'BadRequest']);
  });
});
