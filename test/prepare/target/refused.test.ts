import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FailureCode, SkyferryFailure } from '../../../src/failures.ts';
import { isFailure } from '../../../src/failures.ts';
import type { FaultRule } from '../../../src/sandbox/clouds/service.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import { azureConfig } from './config.ts';
import { openScene, PASSWORD, signal } from './scene.ts';

let clouds: TestClouds;
let scene: ReturnType<typeof openScene>;

beforeAll(async () => {
  clouds = await startClouds();
  scene = openScene(clouds);
}, 60_000);
afterAll(async () => await clouds.stop());

async function failureOf(attempt: Promise<unknown>): Promise<SkyferryFailure> {
  const failure: unknown = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isFailure(failure)) throw new Error('no failure of ours', { cause: failure });
  return failure;
}

const refuse = (code: string, status: number): Partial<FaultRule> => ({ kind: 'refuse', code, status }); // prettier-ignore
const cases: [string, Partial<FaultRule>, FailureCode, RegExp][] = [
  ['throttled for good', { kind: 'throttle', times: 9 }, 'CLOUD_BUSY', /asked for 1 seconds/],
  ['another operation in progress', { kind: 'conflict' }, 'CLOUD_BUSY', /tried again/],
  ['in a state that passes', refuse('ServerUnavailableForOperation', 409), 'CLOUD_BUSY', /tried again/], // prettier-ignore
  ['5xx', { kind: 'server-error', times: 9 }, 'CLOUD_BUSY', /tried again/],
  ['quota', refuse('QuotaExceeded', 400), 'CLOUD_UNAVAILABLE', /quota/],
  ['size not available', refuse('SkuNotAvailable', 409), 'CLOUD_UNAVAILABLE', /another sku/],
  ['region', refuse('RegionIsOfferRestricted', 400), 'CLOUD_UNAVAILABLE', /location/],
  ['policy', refuse('RequestDisallowedByPolicy', 403), 'CLOUD_DENIED', /policy/],
  ['a right that is missing', refuse('AuthorizationFailed', 403), 'CLOUD_DENIED', /role/],
  ['expired', { kind: 'expired', times: 9 }, 'CLOUD_DENIED', /login/],
  ['unknown', refuse('SomethingNew', 400), 'CLOUD_FAILED', /activity log/],
];

test.each(cases)(
  '%s ends in one failure that says what to do, and in no server',
  async (_name, fault, code, next) => {
    // prettier-ignore
    await clouds.faults([{ match: { operation: 'Servers_Create' }, kind: 'refuse', ...fault }]);
    const failure = await failureOf(scene.act(azureConfig(), 'azure/server').begin(signal));
    expect(failure.code).toBe(code);
    expect(failure.detail.next).toMatch(next);
    expect(failure.message).not.toContain(PASSWORD);
    await clouds.fetch('/_faults', { method: 'DELETE' });
    expect((await scene.survey(azureConfig())).address).toBeNull();
  },
  30_000,
);

test('an operation that was taken on and failed later says with which code', async () => {
  await clouds.faults([
    { match: { operation: 'Servers_Create' }, kind: 'fail-operation', code: 'SkuNotAvailable' },
  ]);
  const failure = await failureOf(scene.perform(azureConfig(), 'azure/server'));
  expect(failure).toMatchObject({ code: 'CLOUD_UNAVAILABLE', retryable: false });
  expect(failure.message).toContain('SkuNotAvailable');
}, 30_000);

test('a name that somebody else in Azure has, and what the region does not offer, are found before anything is made', async () => {
  const { findings } = await scene.survey(
    azureConfig({
      server: 'contoso',
      create: { location: 'eastus', storageGb: 20_000, network: { access: 'private', subnet: '/subscriptions/s/n', privateDnsZone: '/subscriptions/s/z' }, highAvailability: 'same-zone' }, // prettier-ignore
      sku: { load: 'Standard_D3ds_v9', run: 'Standard_B2s' },
      iops: { run: 5000 },
    }),
  );
  expect(findings.map(({ code, severity, object }) => `${severity} ${code} ${object}`)).toEqual([
    'blocker azure-server-name Azure server contoso',
    'blocker azure-sku Standard_D3ds_v9',
    'blocker azure-iops Standard_B2s',
    'blocker azure-high-availability Standard_B2s',
    'blocker azure-storage 20000 GB',
    'blocker azure-firewall target.firewall',
  ]);
});

test('a server that is too small for the data, or older than the source, is refused', async () => {
  const { findings } = await scene.survey(
    azureConfig({ create: { location: 'eastus', storageGb: 20, version: '5.7', network: { access: 'public' } } }), // prettier-ignore
  );
  expect(findings).toContainEqual(expect.objectContaining({ code: 'azure-version', severity: 'blocker' })); // prettier-ignore
});

test('a login that the directory refuses is a denial, and says so without its secret', async () => {
  const env = { ...clouds.env, AZURE_CLIENT_SECRET: 'not-the-secret' };
  const failure = await failureOf(openScene({ ...clouds, env }).survey(azureConfig()));
  expect(failure.code).toBe('CLOUD_DENIED');
  expect(JSON.stringify([failure.message, failure.detail])).not.toContain('not-the-secret');
});
