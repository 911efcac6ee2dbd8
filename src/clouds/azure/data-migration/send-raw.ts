import type { CallOptions } from './ask.ts';
import type { DataMigrationClient } from './client.ts';
import { rawOf, textOf } from './raw.ts';

/**
 * Stable, and documents `encryptConnection` of `MySqlConnectionInfo`, which that of 2021-06-30 did not. The
 * SDK knows 2018-07-15-preview alone, and strips that member from what it sends.
 */
const API_VERSION = '2025-06-30';

interface RawRequest {
  readonly method: 'GET' | 'PUT';
  /** Without the endpoint. */
  readonly path: string;
  readonly expand?: boolean;
  readonly body?: unknown;
}

/** Past the SDK's models, by its own authentication. Throws what the SDK would: `code`, `statusCode`. */
export async function sendRaw(
  { sdk, endpoint }: DataMigrationClient,
  { method, path, expand = false, body }: RawRequest,
  { abortSignal }: CallOptions,
): Promise<unknown> {
  const url = new URL(path, `${endpoint}/`);
  url.searchParams.set('api-version', API_VERSION);
  if (expand) url.searchParams.set('$expand', 'output');
  const { status, bodyAsText, headers } = await sdk.sendRequest({
    method,
    url: url.href,
    abortSignal,
    ...(body !== undefined && { body }),
  });
  const answer = parse(bodyAsText);
  if (status >= 200 && status < 300) return answer;
  const error = rawOf(rawOf(answer)['error']);
  throw Object.assign(new Error(withoutPasswords(textOf(error['message']), body)), {
    statusCode: status,
    code: textOf(error['code']) || `HTTP ${status}`,
    response: { headers },
  });
}

function parse(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}

/** A refusal may quote what it refuses. */
function withoutPasswords(said: string, body: unknown): string {
  let text = said;
  JSON.stringify(body ?? null, (member, value: unknown) => {
    const isSecret = member === 'password' && typeof value === 'string' && value !== '';
    if (isSecret) text = text.replaceAll(value, '…');
    return value;
  });
  return text;
}
