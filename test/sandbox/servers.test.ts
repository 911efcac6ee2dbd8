import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/mysql/connection.ts';
import { startMysqlPair, startTemporal } from '../servers.ts';

describe('the servers that tests run against', () => {
  let pair: Awaited<ReturnType<typeof startMysqlPair>>;
  beforeAll(async () => {
    pair = await startMysqlPair();
  });
  afterAll(() => pair?.stop());

  it('come as two different servers with GTIDs, rows in full and native foreign keys', async () => {
    const facts = await Promise.all(
      [pair.source, pair.target].map((endpoint) =>
        withConnection(endpoint, {}, async (connection) => {
          const [row] = await connection.query(
            'SELECT @@server_uuid AS uuid, @@gtid_mode AS gtid, @@binlog_format AS format, @@binlog_row_image AS image, @@local_infile AS local_file',
          );
          return row;
        }),
      ),
    );
    expect(facts[0]?.['uuid']).not.toBe(facts[1]?.['uuid']);
    for (const fact of facts) {
      expect(fact).toMatchObject({ gtid: 'ON', format: 'ROW', image: 'FULL' });
      expect(Number(fact?.['local_file'])).toBe(1);
    }
  });

  it('include a Temporal server', async () => {
    const temporal = await startTemporal();
    expect(temporal.address).toMatch(/^127\.0\.0\.1:\d+$/);
    await temporal.stop();
  });
});
