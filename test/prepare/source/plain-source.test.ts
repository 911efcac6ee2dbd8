import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireConfig } from '../../../src/config/parse.ts';
import { openDumpSession } from '../../../src/mysql/binlog/dump-socket.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import { readServerSettings } from '../../../src/prepare/source/server-settings.ts';
import { surveyPlainSource } from '../../../src/prepare/source/survey.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

let server: TestMysql;
beforeAll(async () => {
  server = await startMysql([
    '--gtid-mode=OFF_PERMISSIVE',
    '--enforce-gtid-consistency=OFF',
    '--binlog-row-image=MINIMAL',
    '--binlog-expire-logs-seconds=3600',
  ]);
});
afterAll(() => server.stop());

test('a server that no cloud manages is told the lines of its my.cnf, and no act is planned', async () => {
  const config = requireConfig({
    name: 'ec2-move',
    source: { host: 'localhost', user: 'root', password: '${env:P}' },
    target: { host: 'target.example', user: 'u', password: '${env:P}' },
    schemas: ['shop'],
  });
  const { signal } = new AbortController();
  const endpoint = async () => server.endpoint;
  const survey = await surveyPlainSource({ config, endpoint }, { signal });
  expect(survey.acts).toEqual([]);
  const [lines, kept] = survey.findings;
  expect(lines).toMatchObject({ code: 'source-my-cnf', severity: 'blocker' });
  expect(lines?.fix?.split('\n').slice(0, 4)).toEqual([
    'in my.cnf below [mysqld]:',
    'binlog_row_image = FULL',
    'enforce_gtid_consistency = ON',
    'gtid_mode = ON',
  ]);
  expect(lines?.found).toContain('by file and position instead is refused');
  expect(kept).toMatchObject({ severity: 'warning', found: 'keeps its binlog 1 h' });
  const wrong = async () => ({ ...server.endpoint, password: 'wrong' });
  const refused = await surveyPlainSource({ config, endpoint: wrong }, { signal });
  expect(refused.findings).toMatchObject([{ code: 'source-login', severity: 'blocker' }]);
});

test('whoever reads the binlog is seen', async () => {
  const read = () => withConnection(server.endpoint, {}, readServerSettings);
  expect((await read()).binlogReaders).toEqual([]);
  const dump = await openDumpSession(server.endpoint, undefined);
  await dump.query('SET @source_binlog_checksum = @@global.binlog_checksum');
  const socket = dump.takeSocket();
  // COM_BINLOG_DUMP from the beginning of the first file, as server 4711.
  const body = Buffer.concat([Buffer.from('1204000000000067120000', 'hex'), Buffer.from('binlog.000001')]); // prettier-ignore
  socket.write(Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]));
  await new Promise((resolve) => socket.once('data', resolve));
  const { binlogReaders } = await read();
  expect(binlogReaders.join()).toMatch(/session of root from localhost/);
  socket.destroy();
});
