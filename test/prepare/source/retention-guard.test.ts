import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import type { BinlogFacts } from '../../../src/prepare/source/retention-guard.ts';
import { adviseRetention } from '../../../src/prepare/source/retention-guard.ts';
import { binlogRate, readBinlogFacts, sampleBinlog } from '../../../src/prepare/source/read-binlog-facts.ts'; // prettier-ignore
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

const GB = 1e9;
const facts: BinlogFacts = {
  retentionHours: 48,
  raisableTo: 168,
  neededHours: 2,
  bytesPerHour: 2 * GB,
  freeBytes: 500 * GB,
};
const loading = (etaHours: number | null) => ({ etaHours, pausing: false });

test('what lasts long enough is left alone', () => {
  expect(adviseRetention(facts, loading(20))).toEqual({ kind: 'enough' });
  expect(adviseRetention({ ...facts, retentionHours: Infinity }, loading(900))).toEqual({ kind: 'enough' }); // prettier-ignore
});

test('what would be purged before it is applied is kept longer, as far as storage holds', () => {
  const advice = adviseRetention(facts, loading(60));
  expect(advice).toMatchObject({ kind: 'raise', hours: 140 });
  // 50 of 100 GB hold 25 h more: 73 h.
  const small = { ...facts, freeBytes: 100 * GB };
  expect(adviseRetention(small, loading(40))).toMatchObject({ kind: 'raise', hours: 73 });
  expect(adviseRetention(small, loading(60))).toMatchObject({
    kind: 'warn',
    message: expect.stringContaining('holds 73 h at most'),
  });
});

test('nothing is raised on a disk whose room nobody knows, or that RDS does not let be raised', () => {
  const unknown = adviseRetention({ ...facts, freeBytes: null }, loading(60));
  expect(unknown).toMatchObject({ kind: 'warn', message: expect.stringContaining('not known') });
  const fixed = adviseRetention({ ...facts, raisableTo: null }, loading(60));
  expect(fixed).toMatchObject({ kind: 'warn', message: expect.stringContaining('cannot be raised') }); // prettier-ignore
  const unset = adviseRetention({ ...facts, retentionHours: null }, loading(10));
  expect(unset).toMatchObject({ kind: 'raise' });
});

test('a pause that would lose the binlog is refused, another is not', () => {
  const late = { ...facts, neededHours: 47, freeBytes: 1 * GB };
  expect(adviseRetention(late, { etaHours: null, pausing: true })).toMatchObject({
    kind: 'refuse-pause',
    next: expect.stringContaining('pause when the lag is small'),
  });
  expect(adviseRetention(facts, { etaHours: null, pausing: true })).toEqual({ kind: 'enough' });
});

test('a disk that fills before the binlog is purged is warned of', () => {
  const filling = { ...facts, freeBytes: 10 * GB };
  expect(adviseRetention(filling, loading(5))).toMatchObject({
    kind: 'warn',
    message: expect.stringContaining('full in 5.0 h'),
  });
});

let server: TestMysql;
beforeAll(async () => {
  server = await startMysql(['--binlog-expire-logs-seconds=172800']);
});
afterAll(() => server.stop());

test('the rate is what a real server wrote between two looks, over a change of files', async () => {
  await withConnection(server.endpoint, {}, async (connection) => {
    await connection.execute('CREATE DATABASE rate');
    await connection.execute('CREATE TABLE rate.t (b LONGBLOB)');
    const before = await sampleBinlog(connection);
    await connection.execute("INSERT INTO rate.t VALUES (REPEAT('x', 3000000))");
    await connection.execute('FLUSH BINARY LOGS');
    await connection.execute("INSERT INTO rate.t VALUES (REPEAT('x', 2000000))");
    const now = { ...(await sampleBinlog(connection)), at: before.at + 1_800_000 };
    const rate = binlogRate(before, now);
    expect(rate).toBeGreaterThan(10_000_000);
    expect(rate).toBeLessThan(10_100_000);
    expect(binlogRate(before, { ...before, at: before.at + 1000 })).toBe(0);
    const config = { source: { kind: 'mysql' } } as Parameters<typeof readBinlogFacts>[0];
    const { signal } = new AbortController();
    const clients = createAwsClients({ env: {} });
    const read = await readBinlogFacts(config, connection, clients, { neededHours: 1, rate }, signal); // prettier-ignore
    expect(read).toEqual({
      retentionHours: 48,
      raisableTo: null,
      neededHours: 1,
      bytesPerHour: rate,
      freeBytes: null,
    });
  });
});
