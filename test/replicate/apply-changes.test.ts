import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMysqlPair } from '../servers.ts';
import { beginMigration, catchUp, countRows, differences, LCTN } from './lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from './workload.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
});
afterAll(async () => {
  await servers.stop();
});

describe('random changes', () => {
  test.each([1, 7, 1000])('end up equal with batches of %i rows', async (batchRows) => {
    const migration = await beginMigration(servers, 'random', workloadSchemas, workloadTables, {
      batchRows,
    });
    await Promise.all([11, 22, 33].map((seed) => writeRandomly(servers.source, seed, 300)));
    await catchUp(migration);
    expect(await differences(migration)).toEqual({});
    expect(await countRows(servers.source, 'Ledger.parent')).toBeGreaterThan(5);
  });
});
