import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCheckpoint } from '../../../src/checkpoint/take-name.ts';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import { parseConfigText } from '../../../src/config/load.ts';
import { locateWritten } from '../../../src/config/located.ts';
import { setRdsRetention } from '../../../src/mysql/binlog-retention.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import type { BinlogWatch, GuardJob } from '../../../src/prepare/source/guard-binlog.ts';
import { guardBinlog } from '../../../src/prepare/source/guard-binlog.ts';
import { rdsConfigurationStatements } from '../../../src/sandbox/servers/rds-like-source.ts';
import { startMysqlPair } from '../../servers.ts';

let pair: Awaited<ReturnType<typeof startMysqlPair>>;
let job: GuardJob;

beforeAll(async () => {
  pair = await startMysqlPair();
  await withConnection(pair.source, {}, async (connection) => {
    await connection.query("CREATE USER rdsadmin@localhost IDENTIFIED BY 'x'");
    await connection.query('GRANT ALL ON *.* TO rdsadmin@localhost');
    for (const statement of rdsConfigurationStatements) await connection.query(statement);
  });
  await withConnection(pair.target, {}, (connection) =>
    createCheckpoint(connection, {
      name: 'guarded',
      configHash: 'a'.repeat(64),
      workflowRun: 'r',
      sourceUuid: 'u',
    }),
  );
  const config = locateWritten(
    parseConfigText(
      'skyferry.yaml',
      `name: guarded
source: {host: a, user: root, password: "\${env:A}"}
target: {host: b, user: root, password: "\${env:A}"}
schemas: [shop]
`,
    ),
  );
  if (config === null) throw new Error('no address');
  const aws = createAwsClients({ env: {} });
  job = { ...pair, config, aws, etaHours: 1, intervalMs: 100 };
});
afterAll(() => pair.stop());

const retain = (hours: number | null) =>
  withConnection(pair.source, {}, (connection) => setRdsRetention(connection, hours));
const appliedUpTo = (hoursAgo: number) =>
  withConnection(pair.target, {}, (connection) =>
    connection.query(
      'UPDATE skyferry.migration SET source_time = UTC_TIMESTAMP(6) - INTERVAL ? HOUR',
      [hoursAgo],
    ),
  );
const watch = (known: BinlogWatch | null, signal = AbortSignal.timeout(20_000)) =>
  guardBinlog(job, known, { signal, onProgress: () => {} });

test('says when the binlog will not last, and again when it will', async () => {
  await retain(12);
  await appliedUpTo(11);
  const short = await watch(null);
  expect(short.warning).toMatch(/keeps its binlog 12 h.*11 h old/);
  expect(short.next).toContain('rds_set_configuration');
  expect(short.pause).toContain('a pause would lose the binlog');

  const unchanged = new AbortController();
  const still = watch(short, unchanged.signal);
  setTimeout(() => unchanged.abort(new Error('nothing new')), 1000);
  await expect(still).rejects.toThrow(/nothing new|aborted/);

  const better = watch(short);
  await retain(168);
  expect(await better).toEqual({ warning: null, next: null, raised: null, pause: null });
});

test('a source that cannot be looked at for a while is looked at again', async () => {
  await retain(12);
  await appliedUpTo(11);
  const steps: string[] = [];
  const away = { ...job, source: { ...pair.source, password: 'wrong' } };
  const looking = new AbortController();
  const guarding = guardBinlog(away, null, {
    signal: looking.signal,
    onProgress: (step) => {
      steps.push(step);
      if (steps.length === 2) looking.abort(new Error('seen'));
    },
  });
  await expect(guarding).rejects.toThrow(/seen|aborted/);
  expect(steps).toEqual(['could not look: ACCESS_DENIED', 'could not look: ACCESS_DENIED']);
});
