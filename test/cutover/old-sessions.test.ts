import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endOldSessions } from '../../src/cutover/old-sessions.ts';
import type { Consumer } from '../../src/cutover/job.ts';
import type { Switch } from '../../src/cutover/switches/switch.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { startMysql } from '../servers.ts';

const signal = AbortSignal.timeout(60_000);
let server: Awaited<ReturnType<typeof startMysql>>;
let admin: Connection;

beforeAll(async () => {
  server = await startMysql();
  admin = await openConnection(server.endpoint);
  for (const user of ['shop', 'mail']) {
    await admin.query(`CREATE USER ${user}@'%' IDENTIFIED BY 'secret'`);
  }
}, 60_000);
afterAll(async () => {
  await admin.close();
  await server.stop();
});

const login = (user: string): Endpoint => ({ ...server.endpoint, user, password: 'secret' });
const nothing = async (): Promise<void> => {};
const consumer = (user: string, byDns: boolean): Consumer => {
  const plain: Switch = {
    consumer: user,
    describe: () => user,
    precondition: nothing,
    do: nothing,
    undo: nothing,
    probe: nothing,
  };
  return {
    account: login(user),
    switch: byDns ? { ...plain, lowerTtl: async () => ({ formerTtl: 1, waitMs: 0 }) } : plain,
  };
};
const isAlive = async (connection: Connection): Promise<boolean> =>
  await connection.query('SELECT 1').then(
    () => true,
    () => false,
  );

describe('sessions on the old server', () => {
  test('those of applications that are moved by DNS are ended, nobody else’s', async () => {
    const [first, second, other] = await Promise.all([
      openConnection(login('shop')),
      openConnection(login('shop')),
      openConnection(login('mail')),
    ]);
    const job = {
      fenceAccount: server.endpoint,
      source: server.endpoint,
      consumers: [consumer('shop', true), consumer('mail', false)],
    };
    expect(await endOldSessions(job, signal)).toEqual({ ended: 2, left: 0, trouble: null });
    expect(await Promise.all([first, second, other].map(isAlive))).toEqual([false, false, true]);
    await Promise.all([first, second, other].map((each) => each.close().catch(() => {})));
  });

  test('one that keeps coming back is counted, and no failure', async () => {
    const stop = new AbortController();
    const stubborn = (async () => {
      while (!stop.signal.aborted) {
        const connection = await openConnection(login('shop'));
        await connection.query('SELECT SLEEP(1)').catch(() => {});
        await connection.close().catch(() => {});
      }
    })();
    await expect
      .poll(async () => (await admin.query('SHOW PROCESSLIST')).some(({ User }) => User === 'shop'))
      .toBe(true);
    const job = {
      fenceAccount: server.endpoint,
      source: server.endpoint,
      consumers: [consumer('shop', true)],
    };
    const { ended, left, trouble } = await endOldSessions(job, signal);
    stop.abort();
    await stubborn;
    expect([ended > 1, left, trouble]).toEqual([true, 1, null]);
  });
});
