import { readdir } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { CA } from '../../src/sandbox/demo/clouds/files.ts';
import type { CloudsLab } from './clouds-lab.ts';
import type { CloudsRun } from './clouds-run.ts';

/** Of what takes up waiting again: an address and a state, no body. */
const TOKEN_BYTES = 1_100;

/** Secrets, and what looks like some, in what people with a view of Temporal or of a worker's log can read. */
export async function leaks(lab: CloudsLab, run: CloudsRun): Promise<string[]> {
  const places = await readableBy(lab, run);
  const found: string[] = [];
  const secrets = await secretsOf(lab);
  for (const [place, text] of Object.entries(places)) {
    for (const [name, secret] of secrets) {
      if (secret === '' || text.includes(secret)) found.push(`${name} in the ${place}`);
    }
    if (credentials.test(text)) found.push(`credentials in the ${place}`);
  }
  const tokens = [...places.history.matchAll(/"token":"((?:[^"\\]|\\.)*)"/g)];
  for (const [, token = ''] of tokens) {
    if (token.length > TOKEN_BYTES) found.push(`a token of ${token.length} bytes`);
  }
  // What is looked through holds what it should.
  if (tokens.length === 0 || !/completeAct[^]*azureAsyncOperation/.test(places.history)) {
    found.push('no token at all');
  }
  if (places['worker log'] === '') found.push('no worker log at all');
  return found;
}

const credentials = /Bearer |eyJ[\w-]{8,}\.|AWS4-HMAC|X-Amz-Signature|[?&]sig=/i;

async function readableBy(lab: CloudsLab, { handle }: CloudsRun) {
  const histories: string[] = [];
  const { workflowId } = handle;
  const query = `WorkflowId = '${workflowId}'`;
  for await (const { runId } of lab.client.workflow.list({ query })) {
    const history = await lab.client.workflow.getHandle(workflowId, runId).fetchHistory();
    histories.push(readable(historyToJSON(history)));
  }
  const { raw } = await handle.describe();
  return {
    history: histories.join('\n'),
    description: JSON.stringify(raw, bytesAsText),
    report: JSON.stringify(await handle.query('report')),
    'worker log': await lab.workerLogs(),
  };
}

async function secretsOf({ secrets, clouds }: CloudsLab): Promise<[string, string][]> {
  const names = (await readdir(secrets.path)).filter((name) => name !== CA);
  const files = await Promise.all(
    names.map(async (name): Promise<[string, string]> => [
      name,
      ((await secrets.read(name)) ?? '').trim(),
    ]),
  );
  const { AZURE_CLIENT_SECRET = '', AWS_SECRET_ACCESS_KEY = '' } = clouds.env;
  return [
    ...files,
    ['client secret', AZURE_CLIENT_SECRET],
    ['AWS secret key', AWS_SECRET_ACCESS_KEY],
    ['signature of an address', 'sandbox-signature'],
  ];
}

/** Payloads as the text that they hold. */
function readable(json: string): string {
  return json.replace(/"data":\s*"([^"]+)"/g, (_all, data: string) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
}

function bytesAsText(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return original instanceof Uint8Array ? Buffer.from(original).toString('utf8') : value;
}
