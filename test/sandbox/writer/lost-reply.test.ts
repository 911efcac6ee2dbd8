import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { createSampleDatabase } from '../../../src/sandbox/sample/create-sample-database.ts';
import { parseWriterOptions } from '../../../src/sandbox/writer/options.ts';
import { runWriter } from '../../../src/sandbox/writer/run-writer.ts';
import { verifyLedger } from '../../../src/sandbox/writer/verify-ledger.ts';
import { startMysql } from '../../servers.ts';

let server: Awaited<ReturnType<typeof startMysql>>;
let admin: Endpoint;
let folder: string;

beforeAll(async () => {
  server = await startMysql();
  admin = server.endpoint;
  folder = await mkdtemp(join(tmpdir(), 'skyferry-writer-'));
  const signal = new AbortController().signal;
  await createSampleDatabase(admin, { scale: 0.05, seed: 3, signal, onProgress: () => {} });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** `forward`: whether the server still gets the COMMIT whose connection is cut. */
test.each([
  ['executed and the reply lost', true],
  ['lost on its way to the server', false],
])('COMMIT %s: the outcome is looked up and nothing happens twice', async (_, forward) => {
  const proxy = await cutAtCommit(admin.port, forward);
  const files = {
    connectionFile: join(folder, `connection-${forward}`),
    ledgerFile: join(folder, `ledger-${forward}.jsonl`),
  };
  const { port } = proxy.server.address() as AddressInfo;
  const { user, password } = admin;
  await writeFile(
    files.connectionFile,
    JSON.stringify({ host: 'localhost', port, user, password }),
  );
  const stop = new AbortController();
  const summary = await runWriter(
    parseWriterOptions({ ...files, sessions: 2, rate: 400, progressMs: 100 }),
    {
      signal: stop.signal,
      onProgress: () => {
        if (proxy.cuts() > 5) stop.abort();
      },
    },
  );
  proxy.server.close();
  expect(summary.unknown).toBeGreaterThanOrEqual(proxy.cuts() - 1);
  const verdict = await verifyLedger(admin, files.ledgerFile);
  expect(verdict.problems).toEqual([]);
  expect(verdict).toMatchObject({
    ok: true,
    acknowledged: summary.acknowledged,
    unknown: { committed: 0, absent: 0 },
  });
});

/** Without TLS, so that a COMMIT can be seen; cuts every tenth. */
async function cutAtCommit(
  serverPort: number,
  forward: boolean,
): Promise<{ server: Server; cuts: () => number }> {
  let commits = 0;
  let cut = 0;
  const proxy = createServer((client: Socket) => {
    const upstream = connect(serverPort, 'localhost');
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.on('data', (data) => client.write(data));
    client.on('data', (data) => {
      if (data.length > 16 || !data.toString('latin1').endsWith('COMMIT') || ++commits % 10 !== 0) {
        upstream.write(data);
        return;
      }
      cut += 1;
      if (!forward) client.destroy();
      // The server answers, but nobody is there to hear it.
      else upstream.write(data, () => client.destroy());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, 'localhost', resolve));
  return { server: proxy, cuts: () => cut };
}
