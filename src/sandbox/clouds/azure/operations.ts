import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CloudContext, CloudResponse, Fault, Store } from '../service.ts';
import { ArmError, json } from './arm-error.ts';
import type { ArmCall, ArmRoute } from './arm.ts';

interface KeptOperation {
  readonly id: string;
  readonly kind: string;
  /** What the runner needs beside the resource. */
  readonly data: unknown;
  /** Path of the resource that the operation is about. */
  readonly resource: string;
  readonly startTime: string;
  /** It does its work that long after its start, by the clock: a restart in between changes nothing. */
  readonly dueMs: number;
  /** To fail with this code instead of doing its work. */
  readonly failure: { code: string; message: string } | null;
  status: 'InProgress' | 'Succeeded' | 'Failed';
  endTime?: string;
  error?: { code: string; message: string };
}

/**
 * What one kind of operation does when its time has come, and when it fails. Both may be run again
 * after the clouds were killed in the middle.
 */
export interface Runner {
  run(resource: string, data: unknown): Promise<void>;
  /** Puts the resource into the state that a failed operation leaves. */
  fail(resource: string, data: unknown): Promise<void>;
}

export interface Begin {
  readonly kind: string;
  readonly resource: string;
  readonly location: string;
  readonly data: unknown;
  readonly dueMs: number;
  readonly fault: Fault | null;
}

/** Seconds; the real ones say more, but a demo is not to wait. */
const RETRY_AFTER = '1';

/**
 * Long-running operations as Azure Resource Manager has them: accepted with 202 and the addresses to
 * ask at, kept on disk, finished by the clock.
 */
export class Operations {
  readonly #namespace: string;
  readonly #store: Store<Record<string, KeptOperation>>;
  readonly #runners: Readonly<Record<string, Runner>>;
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<void>>();

  private constructor(
    namespace: string,
    store: Store<Record<string, KeptOperation>>,
    runners: Readonly<Record<string, Runner>>,
  ) {
    this.#namespace = namespace;
    this.#store = store;
    this.#runners = runners;
  }

  /** Takes up what was under way when the clouds ended. */
  static async open(
    context: CloudContext,
    namespace: string,
    runners: Readonly<Record<string, Runner>>,
  ): Promise<Operations> {
    const store = await context.store<Record<string, KeptOperation>>(
      `azure/operations-${namespace}`,
      {},
    );
    const operations = new Operations(namespace, store, runners);
    for (const operation of Object.values(store.value)) {
      if (operation.status === 'InProgress') operations.#start(operation);
    }
    return operations;
  }

  /** Durable when it resolves; the answer says where to ask. */
  async begin(call: ArmCall, begin: Begin): Promise<CloudResponse> {
    const { kind, resource, location, data, dueMs, fault } = begin;
    const operation: KeptOperation = {
      id: randomUUID(),
      kind,
      data,
      resource,
      startTime: new Date().toISOString(),
      dueMs,
      failure:
        fault === null
          ? null
          : { code: fault.code ?? 'InternalServerError', message: 'The operation failed.' },
      status: 'InProgress',
    };
    this.#store.value[operation.id] = operation;
    await this.#store.save();
    this.#start(operation);
    const headers = {
      'azure-asyncoperation': this.#url(call, location, 'azureAsyncOperation', operation.id),
      location: this.#url(call, location, 'operationResults', operation.id),
      'retry-after': RETRY_AFTER,
    };
    return json(202, { operation: kind, startTime: operation.startTime }, headers);
  }

  /** The two addresses at which an operation is asked about. */
  routes(
    apiVersions: readonly string[],
    show: (resource: string) => Promise<CloudResponse>,
  ): ArmRoute[] {
    const base = `/subscriptions/{subscription}/providers/${this.#namespace}/locations/{location}`;
    return [
      {
        operation: 'AzureAsyncOperation_Get',
        method: 'GET',
        path: `${base}/azureAsyncOperation/{id}`,
        action: `${this.#namespace}/locations/azureAsyncOperation/read`,
        apiVersions,
        answer: async ({ params }) => {
          const { id, status, startTime, endTime, error } = this.#find(params['id']);
          const body = {
            name: id,
            status,
            startTime,
            ...(endTime !== undefined && { endTime }),
            ...(error !== undefined && { error }),
          };
          return json(200, body, status === 'InProgress' ? { 'retry-after': RETRY_AFTER } : {});
        },
      },
      {
        operation: 'OperationResults_Get',
        method: 'GET',
        path: `${base}/operationResults/{id}`,
        action: `${this.#namespace}/locations/operationResults/read`,
        apiVersions,
        answer: async (call) => {
          const { id, status, resource, error } = this.#find(call.params['id']);
          if (status === 'InProgress') {
            const location = call.params['location'] ?? '';
            const again = this.#url(call, location, 'operationResults', id);
            return { status: 202, headers: { location: again, 'retry-after': RETRY_AFTER } };
          }
          if (error !== undefined) throw new ArmError(400, error.code, error.message);
          return await show(resource).catch((gone: unknown) => {
            if (gone instanceof ArmError && gone.status === 404) return { status: 204 };
            throw gone;
          });
        },
      },
    ];
  }

  /** Nothing new is begun; what waits is left for the next start, what works is waited for. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
  }

  #find(id: string | undefined): KeptOperation {
    const found = this.#store.value[id ?? ''];
    if (found !== undefined) return found;
    throw new ArmError(404, 'OperationIdNotFound', `The operation ${id} was not found.`);
  }

  #start(operation: KeptOperation): void {
    const run = this.#run(operation).catch((error: unknown) => {
      process.stderr.write(`operation ${operation.kind}: ${String(error)}\n`);
    });
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  async #run(operation: KeptOperation): Promise<void> {
    const due = Date.parse(operation.startTime) + operation.dueMs;
    const { signal } = this.#ending;
    await delay(Math.max(0, due - Date.now()), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const error = operation.failure ?? (await this.#work(operation));
    if (error !== null) {
      await this.#runners[operation.kind]?.fail(operation.resource, operation.data);
      operation.error = error;
    }
    operation.endTime = new Date().toISOString();
    operation.status = error === null ? 'Succeeded' : 'Failed';
    await this.#store.save();
  }

  async #work({
    kind,
    resource,
    data,
  }: KeptOperation): Promise<{ code: string; message: string } | null> {
    try {
      await this.#runners[kind]?.run(resource, data);
      return null;
    } catch (error) {
      if (error instanceof ArmError) return { code: error.code, message: error.message };
      process.stderr.write(`operation ${kind}: ${String(error)}\n`);
      return { code: 'InternalServerError', message: 'An unexpected error occurred.' };
    }
  }

  #url({ request, params, apiVersion }: ArmCall, location: string, what: string, id: string) {
    const path = `/subscriptions/${params['subscription']}/providers/${this.#namespace}/locations/${location}/${what}/${id}`;
    return `https://${request.headers['host']}${path}?api-version=${apiVersion}&${signature()}`;
  }
}

/** Addresses of operations are signed, so that whoever holds one may ask; here nobody looks at it. */
function signature(): string {
  const ticks = String(Date.now() * 10_000);
  return `t=${ticks}&c=sandbox-certificate&s=sandbox-signature-${randomUUID()}&h=sandbox-hash`;
}
