import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sandboxPrincipal } from '../../../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';
import { bearer, connect, group, pathOf, wanted } from './lab.ts';

const version = '?api-version=2021-05-01';
const { sku, location, tags, storage, ...login } = wanted;
const body = { location, tags, sku, properties: { ...login, storage } };

let clouds: TestClouds;
beforeAll(async () => {
  clouds = await startClouds();
});
afterAll(() => clouds.stop());

async function put(path: string, sent: unknown, headers?: Record<string, string>) {
  const response = await clouds.fetch(path, {
    method: 'PUT',
    headers: headers ?? (await bearer(clouds)),
    body: JSON.stringify(sent),
  });
  const { error } = JSON.parse(response.body) as { error?: { code: string; message: string } };
  return { status: response.status, code: error?.code, message: error?.message };
}

describe('who asks', () => {
  test('a wrong secret is refused as Entra does', async () => {
    const client = connect(clouds, { secret: 'wrong' });
    await expect(client.servers.get(group, 'any')).rejects.toThrow('AADSTS7000215');
  });

  test('without a token, with a forged one and with one that has expired nobody gets in', async () => {
    expect(await put(`${pathOf('any')}${version}`, body, {})).toMatchObject({
      status: 401,
      code: 'AuthenticationFailed',
    });
    const forged = { authorization: 'Bearer a.b.c' };
    expect(await put(`${pathOf('any')}${version}`, body, forged)).toMatchObject({
      status: 401,
      code: 'InvalidAuthenticationToken',
    });
    await clouds.faults([{ match: { service: 'entra', operation: 'Token' }, kind: 'expired' }]);
    await expect(connect(clouds).servers.get(group, 'any')).rejects.toMatchObject({
      statusCode: 401,
      code: 'ExpiredAuthenticationToken',
    });
  });

  test('what the documented role does not grant is denied', async () => {
    await expect(connect(clouds).servers.beginStop(group, 'any')).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthorizationFailed',
      message: expect.stringContaining(
        'Microsoft.DBforMySQL/flexibleServers/stop/action',
      ) as unknown,
    });
  });

  test('what is granted on a resource group does not hold on the subscription', async () => {
    const { servers } = connect(clouds);
    const ofGroup: unknown[] = [];
    for await (const server of servers.listByResourceGroup(group)) ofGroup.push(server);
    expect(ofGroup).toEqual([]);
    await expect(servers.list().next()).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthorizationFailed',
      message: expect.stringContaining('Microsoft.DBforMySQL/flexibleServers/read') as unknown,
    });
  });

  test('another subscription is not there', async () => {
    const other = pathOf('any').replace(
      sandboxPrincipal.subscription,
      '00000000-0000-4000-8000-000000000000',
    );
    expect(await put(`${other}${version}`, body)).toMatchObject({ code: 'SubscriptionNotFound' });
  });
});

describe('what is asked', () => {
  test('without an api-version, or with one that does not exist', async () => {
    expect(await put(pathOf('any'), body)).toMatchObject({
      status: 400,
      code: 'MissingApiVersionParameter',
    });
    expect(await put(`${pathOf('any')}?api-version=2020-02-30`, body)).toMatchObject({
      status: 400,
      code: 'InvalidResourceType',
    });
  });

  test('an unknown field is refused, wherever it is', async () => {
    const nested = {
      ...body,
      properties: { ...body.properties, storage: { autoIoScaling: 'On' } },
    };
    expect(await put(`${pathOf('any')}${version}`, nested)).toMatchObject({
      status: 400,
      code: 'InvalidRequestContent',
      message: expect.stringContaining('autoIoScaling') as unknown,
    });
    const { location: _, ...withoutLocation } = body;
    expect(await put(`${pathOf('any')}${version}`, withoutLocation)).toMatchObject({
      status: 400,
      code: 'InvalidRequestContent',
    });
  });

  test('sizes, regions, logins and passwords that Azure does not take', async () => {
    const properties = body.properties;
    const refused = async (change: object) => (await put(`${pathOf('any')}${version}`, { ...body, ...change })).code; // prettier-ignore
    expect(await refused({ sku: { name: 'Standard_D3', tier: 'GeneralPurpose' } })).toBe(
      'SkuNotAvailable',
    );
    expect(await refused({ location: 'atlantis' })).toBe('LocationNotAvailableForResourceType');
    expect(await refused({ properties: { ...properties, administratorLogin: 'admin' } })).toBe(
      'InvalidParameterValue',
    );
    expect(
      await refused({ properties: { ...properties, administratorLoginPassword: 'short' } }),
    ).toBe('PasswordNotComplex');
  });

  test('what is not there at all', async () => {
    const response = await clouds.fetch(`${pathOf('any')}/elephants${version}`, {
      headers: await bearer(clouds),
    });
    expect(response).toMatchObject({ status: 404 });
    expect(JSON.parse(response.body)).toMatchObject({ error: { code: 'InvalidResourceType' } });
  });

  test('what a policy or a quota forbids, told by a fault', async () => {
    await clouds.faults([
      {
        match: { operation: 'Servers_Create' },
        kind: 'refuse',
        status: 403,
        code: 'RequestDisallowedByPolicy',
      },
    ]);
    expect(await put(`${pathOf('any')}${version}`, body)).toMatchObject({
      status: 403,
      code: 'RequestDisallowedByPolicy',
    });
  });
});
