import { setTimeout as delay } from 'node:timers/promises';
import type {
  MySQLManagementFlexibleServerClient,
  Server,
  ServerForUpdate,
} from '@azure/arm-mysql-flexible';
import { askAzure, classify, isUnknownOperation, toAzureFailure } from './errors.ts';

/** What Azure does over minutes: begun by one request, then asked about until it has ended. */
export type Operation =
  | { readonly kind: 'create-server'; readonly server: Server }
  | { readonly kind: 'update-server'; readonly change: ServerForUpdate }
  | { readonly kind: 'restart-server' }
  | { readonly kind: 'delete-server' }
  | { readonly kind: 'set-parameters'; readonly values: Readonly<Record<string, string>> }
  | {
      readonly kind: 'put-firewall-rule';
      readonly rule: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: 'delete-firewall-rule'; readonly rule: string };

export interface ServerId {
  readonly client: MySQLManagementFlexibleServerClient;
  readonly resourceGroup: string;
  readonly server: string;
}

export interface Waiting {
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
}

/** The part of the SDK's pollers that is the same for each operation. */
interface Poller {
  poll(options: { abortSignal: AbortSignal }): Promise<void>;
  isDone(): boolean;
  toString(): string;
}

interface CallOptions {
  readonly abortSignal: AbortSignal;
  readonly onResponse: (response: RawAnswer) => void;
  readonly resumeFrom?: string;
}

interface RawAnswer {
  readonly bodyAsText?: string | null;
  readonly headers: { get(name: string): string | undefined };
}

/** Where Azure does not say how long to wait. */
const POLL_INTERVAL_MS = 2_000;

/**
 * Sends it, once for each call (the SDK repeats what got no answer). The token takes the waiting up
 * again in another process: the operation's address, neither login nor body; null: it has ended already.
 */
export async function beginOperation(
  id: ServerId,
  operation: Operation,
  signal: AbortSignal,
): Promise<string | null> {
  const answers = new LastAnswer();
  const poller = await failing(operation, signal, answers, async (options) => {
    return await send(id, operation, options);
  });
  if (poller.isDone()) return null;
  const rule = 'rule' in operation ? operation.rule : undefined;
  return JSON.stringify({
    kind: operation.kind,
    rule,
    poller: withoutSignature(poller.toString()),
  });
}

/**
 * Some addresses of operations are signed. Tokens are kept where people look, so the signature goes;
 * should Azure miss it, the resource itself is asked instead.
 */
export function withoutSignature(poller: string): string {
  return JSON.stringify(JSON.parse(poller), (key, value: unknown) => {
    if (!key.endsWith('Location') || typeof value !== 'string' || !URL.canParse(value))
      return value;
    const url = new URL(value);
    for (const signed of ['t', 'c', 's', 'h', 'sig']) url.searchParams.delete(signed);
    return url.href;
  });
}

/**
 * Only asks, sends nothing again. Throws a CLOUD_… failure with the code that the operation ended with.
 * Of one that Azure does not know (any more) the resource itself has to be asked.
 */
export async function awaitOperation(
  id: ServerId,
  token: string,
  { signal, onProgress }: Waiting,
): Promise<'ended' | 'unknown'> {
  const { operation, poller: state } = parseToken(token);
  const answers = new LastAnswer();
  return await failing(operation, signal, answers, async (options) => {
    try {
      const poller = await send(id, operation, { ...options, resumeFrom: state });
      while (!poller.isDone()) {
        onProgress(describe(operation));
        await delay(answers.waitMs(), undefined, { signal });
        await poller.poll({ abortSignal: signal });
      }
      return 'ended';
    } catch (error) {
      if (isUnknownOperation(error)) return 'unknown';
      throw error;
    }
  });
}

/** A sentence's beginning, e.g. `creating the server`. */
export function describe(operation: Pick<Operation, 'kind'>): string {
  switch (operation.kind) {
    case 'create-server':
      return 'creating the server';
    case 'update-server':
      return 'changing the server';
    case 'restart-server':
      return 'restarting the server';
    case 'delete-server':
      return 'removing the server';
    case 'set-parameters':
      return 'setting parameters';
    case 'put-firewall-rule':
      return 'making the firewall rule';
    case 'delete-firewall-rule':
      return 'removing the firewall rule';
  }
}

async function send(id: ServerId, operation: Operation, options: CallOptions): Promise<Poller> {
  const { client, resourceGroup: group, server } = id;
  switch (operation.kind) {
    case 'create-server':
      return await client.servers.beginCreate(group, server, operation.server, options);
    case 'update-server':
      return await client.servers.beginUpdate(group, server, operation.change, options);
    case 'restart-server':
      return await client.servers.beginRestart(group, server, {}, options);
    case 'delete-server':
      return await client.servers.beginDelete(group, server, options);
    case 'set-parameters':
      return await client.configurations.beginBatchUpdate(
        group,
        server,
        {
          value: Object.entries(operation.values).map(([name, value]) => ({
            name,
            value,
            source: 'user-override',
          })),
        },
        options,
      );
    case 'put-firewall-rule':
      return await client.firewallRules.beginCreateOrUpdate(
        group,
        server,
        operation.rule,
        { startIpAddress: operation.from, endIpAddress: operation.to },
        options,
      );
    case 'delete-firewall-rule':
      return await client.firewallRules.beginDelete(group, server, operation.rule, options);
  }
}

function parseToken(token: string): { operation: Operation; poller: string } {
  const { kind, rule, poller } = JSON.parse(token) as {
    kind: Operation['kind'];
    rule?: string;
    poller: string;
  };
  return { operation: withoutBody(kind, rule ?? ''), poller };
}

/** Resuming sends no body, but the SDK's signatures want one. */
function withoutBody(kind: Operation['kind'], rule: string): Operation {
  switch (kind) {
    case 'create-server':
      return { kind, server: { location: '' } };
    case 'update-server':
      return { kind, change: {} };
    case 'set-parameters':
      return { kind, values: {} };
    case 'put-firewall-rule':
      return { kind, rule, from: '', to: '' };
    case 'delete-firewall-rule':
      return { kind, rule };
    case 'restart-server':
    case 'delete-server':
      return { kind };
  }
}

/**
 * An operation that was taken on and failed later is reported by the SDK as an error without a code:
 * the code stands in the body of the last answer.
 */
async function failing<T>(
  operation: Operation,
  signal: AbortSignal,
  answers: LastAnswer,
  run: (options: CallOptions) => Promise<T>,
): Promise<T> {
  const doing = describe(operation);
  return await askAzure(doing, signal, async (options) => {
    try {
      return await run({
        ...options,
        onResponse: (response) => answers.keep(response),
      });
    } catch (error) {
      const failed = answers.failed();
      const isPlain = error instanceof Error && error.name === 'Error' && !('code' in error);
      if (failed === null || !isPlain) throw toAzureFailure(error, doing);
      throw classify({ ...failed, status: 0, doing });
    }
  });
}

class LastAnswer {
  #answer: RawAnswer | undefined;

  keep(answer: RawAnswer): void {
    this.#answer = answer;
  }

  waitMs(): number {
    const seconds = Number(this.#answer?.headers.get('retry-after') ?? Number.NaN);
    return Number.isFinite(seconds) ? Math.max(200, seconds * 1000) : POLL_INTERVAL_MS;
  }

  failed(): { code: string; said: string } | null {
    try {
      const { error } = JSON.parse(this.#answer?.bodyAsText ?? '') as {
        error?: { code?: unknown; message?: unknown };
      };
      if (typeof error?.code !== 'string') return null;
      return {
        code: error.code,
        said: typeof error.message === 'string' ? error.message.slice(0, 300) : '',
      };
    } catch {
      return null;
    }
  }
}
