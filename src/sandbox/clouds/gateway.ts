import { appendFile, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Exchange, FaultQueue } from './faults.ts';
import { ConnectionDropped, faultRules } from './faults.ts';
import type { CloudRequest, CloudResponse, CloudService } from './service.ts';

export interface GatewayOptions {
  readonly services: readonly CloudService[];
  readonly faults: FaultQueue;
  readonly certificate: string;
  readonly key: string;
  readonly port: number;
  /** One line of JSON a request is appended, without bodies, headers and queries. */
  readonly requestLog: string;
}

export interface Gateway {
  readonly url: string;
  /** Open connections are destroyed. */
  close(): Promise<void>;
}

/** One line of the request log. `status` is null for a connection that was dropped. */
export interface LoggedRequest {
  readonly service: string;
  readonly operation: string | null;
  readonly status: number | null;
  readonly method: string;
  readonly path: string;
  readonly at: string;
}

/**
 * The one HTTPS server of all services, on the loopback. `GET /_requests` lists what was asked,
 * `POST /_faults` adds faults (a list of `FaultRule`), `DELETE /_faults` forgets them.
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { certificate, key, port } = options;
  const server = createServer({ cert: certificate, key }, (incoming, outgoing) => {
    handle(options, incoming, outgoing).catch((error: unknown) => {
      process.stderr.write(`${incoming.method} ${pathOf(incoming)}: ${String(error)}\n`);
      if (!outgoing.headersSent) outgoing.writeHead(500);
      outgoing.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  options: GatewayOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request = await readRequest(incoming);
  if (request.path.startsWith('/_')) {
    send(outgoing, await control(options, request));
    return;
  }
  const service = options.services.find((one) => one.matches(request));
  if (service === undefined) {
    send(outgoing, { status: 404, body: 'no service of this sandbox answers that' });
    return;
  }
  const exchange: Exchange = { operation: null, dropAfter: false, delayMs: 0 };
  const response = await options.faults
    .during(exchange, () => service.answer(request))
    .catch((error: unknown) => {
      if (error instanceof ConnectionDropped) return null;
      throw error;
    });
  const answered = response !== null && !exchange.dropAfter ? response : null;
  const line: LoggedRequest = {
    service: service.name,
    operation: exchange.operation,
    status: answered?.status ?? null,
    method: request.method,
    path: request.path,
    at: new Date().toISOString(),
  };
  await appendFile(options.requestLog, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  await new Promise((resolve) => setTimeout(resolve, exchange.delayMs));
  if (answered === null) incoming.socket.destroy();
  else send(outgoing, answered);
}

async function control(
  { faults, requestLog }: GatewayOptions,
  { method, path, body }: CloudRequest,
): Promise<CloudResponse> {
  switch (`${method} ${path}`) {
    case 'GET /_requests': {
      const lines = await readFile(requestLog, 'utf8').catch(() => '');
      return { status: 200, body: `[${lines.trim().split('\n').join(',')}]` };
    }
    case 'POST /_faults': {
      const rules = faultRules.safeParse(JSON.parse(body.toString()));
      if (!rules.success) return { status: 400, body: rules.error.message };
      faults.add(rules.data);
      return { status: 204 };
    }
    case 'DELETE /_faults':
      faults.clear();
      return { status: 204 };
    default:
      return { status: 404 };
  }
}

async function readRequest(incoming: IncomingMessage): Promise<CloudRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? '/', 'https://localhost');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {
    method: incoming.method ?? 'GET',
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers,
    body: Buffer.concat(chunks),
  };
}

function send(outgoing: ServerResponse, { status, headers = {}, body }: CloudResponse): void {
  outgoing.writeHead(status, headers);
  outgoing.end(body);
}

function pathOf(incoming: IncomingMessage): string {
  return (incoming.url ?? '/').split('?')[0] ?? '/';
}
