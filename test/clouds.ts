import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoggedRequest } from '../src/sandbox/clouds/gateway.ts';
import { openClouds } from '../src/sandbox/clouds/open.ts';
import type { FaultRule } from '../src/sandbox/clouds/service.ts';

export interface TestClouds {
  readonly url: string;
  /** Their state, on disk. */
  readonly folder: string;
  /** Endpoints, credentials, name server and authority; for `createAwsClients` and the like. */
  readonly env: Readonly<Record<string, string>>;
  readonly caFile: string;
  /** PEM text: a running process cannot be told to trust `NODE_EXTRA_CA_CERTS`. */
  readonly ca: string;
  faults(rules: readonly FaultRule[]): Promise<void>;
  /** Since the first start. */
  requests(): Promise<LoggedRequest[]>;
  /** Any request, e.g. one that no SDK would make. */
  fetch(
    path: string,
    options?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }>;
  /** The control planes are gone at once; MySQL servers go on. */
  kill(): Promise<void>;
  /** After `kill`: on the same port, with the same state. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Fake clouds in a temporary folder, in this process; their servers end with it, however it ends. */
export async function startClouds(): Promise<TestClouds> {
  const folder = await mkdtemp(join(tmpdir(), 'skyferry-clouds-'));
  const open = () => openClouds({ folder, life: 'bound' });
  let clouds = await open();
  const { url, env, caFile } = clouds;
  const ca = await readFile(caFile, 'utf8');
  const agent = new Agent({ ca });
  const fetch: TestClouds['fetch'] = (path, { method = 'GET', headers = {}, body = '' } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(`${url}${path}`, { method, headers, agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    url,
    folder,
    env,
    caFile,
    ca,
    fetch,
    faults: async (rules) => {
      const { status, body } = await fetch('/_faults', {
        method: 'POST',
        body: JSON.stringify(rules),
      });
      if (status !== 204) throw new Error(`faults were refused: ${body}`);
    },
    requests: async () => JSON.parse((await fetch('/_requests')).body) as LoggedRequest[],
    kill: () => clouds.abandon(),
    restart: async () => {
      clouds = await open();
    },
    stop: async () => {
      agent.destroy();
      await clouds.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
