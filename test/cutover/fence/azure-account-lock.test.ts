import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFence } from '../../../src/cutover/fence/create-fence.ts';
import type { FenceContext } from '../../../src/cutover/fence/fence.ts';
import { isFailure } from '../../../src/failures.ts';
import { openConnection, withConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { openServer } from '../../../src/prepare/target/target.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import { azureConfig } from '../../prepare/target/config.ts';
import { openScene, PASSWORD, signal } from '../../prepare/target/scene.ts';

const config = azureConfig();
let clouds: TestClouds;
let context: FenceContext;
let app: Endpoint;

beforeAll(async () => {
  clouds = await startClouds();
  const scene = openScene(clouds);
  const { address } = await scene.perform(config, 'azure/server');
  if (address === undefined) throw new Error('no address');
  const account: Endpoint = {
    ...address,
    user: config.target.user,
    password: PASSWORD,
    tls: { mode: 'verify-identity', ca: clouds.ca },
  };
  app = { ...account, user: 'app' };
  await withConnection(account, {}, async (connection) => {
    await connection.query('CREATE DATABASE shop');
    await connection.query('CREATE TABLE shop.t (id int PRIMARY KEY AUTO_INCREMENT)');
    await connection.query('CREATE USER app IDENTIFIED BY ?', [PASSWORD]);
    await connection.query('GRANT INSERT, DELETE ON shop.* TO app');
  });
  const server = await openServer(config, scene.clients);
  context = {
    account,
    source: account,
    schemas: ['shop'],
    applicationAccounts: [{ user: 'app', host: '%', login: app }],
    restart: (until) =>
      server.run({ kind: 'restart-server' }, { signal: until, onProgress: () => {} }),
  };
}, 90_000);
afterAll(() => clouds.stop());

const insert = () =>
  withConnection(app, {}, (connection) => connection.query('INSERT INTO shop.t VALUES ()')).then(
    () => 'done',
    (error: unknown) => (isFailure(error) ? (error.detail.errno ?? error.code) : String(error)),
  );

test('an Azure server is fenced by locked accounts and a restart, which ends what nobody there may kill', async () => {
  const { restart: _restart, ...withoutRestart } = context;
  const powerless = createFence('account-lock', withoutRestart);
  const former = await powerless.read(signal);
  expect(former.foreign).toBeUndefined();
  await using session = await openConnection(app);
  await session.query('BEGIN');
  await session.query('INSERT INTO shop.t VALUES ()');
  await expect(powerless.raise(former, { lockWaitMs: 3_000, signal })).rejects.toMatchObject({
    code: 'NOT_QUIESCENT',
  });

  const fence = createFence('account-lock', context);
  await fence.raise(former, { lockWaitMs: 60_000, signal });
  expect(await fence.isRaised(signal)).toBe(true);
  await expect(session.query('COMMIT')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect(await insert()).toBe(3118);
  expect((await fence.prove(signal)).accounts).toEqual([
    { account: 'app@%', by: 'a login that was refused (3118)' },
  ]);
  await createFence('account-lock', context).lower(former);
  expect(await insert()).toBe('done');
}, 90_000);
