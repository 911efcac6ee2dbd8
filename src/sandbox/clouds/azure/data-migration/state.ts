import { AsyncResource } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { CloudContext, Fault, Store } from '../../service.ts';
import { ArmError } from '../arm-error.ts';
import type { CommandBody, ProjectBody, TaskProperties } from './schemas.ts';
import { NAMESPACE } from './schemas.ts';
import type { SyncOutput } from './sync/output.ts';
import type { TaskError } from './task-error.ts';

export type ServiceState =
  | 'Accepted'
  | 'Deleting'
  | 'Deploying'
  | 'Stopped'
  | 'Stopping'
  | 'Starting'
  | 'FailedToStart'
  | 'FailedToStop'
  | 'Succeeded'
  | 'Failed';

export type TaskState =
  'Queued' | 'Running' | 'Canceled' | 'Succeeded' | 'Failed' | 'FailedInputValidation' | 'Faulted';

export interface KeptCommand {
  readonly input: CommandBody['input'];
  state: 'Accepted' | 'Running' | 'Succeeded' | 'Failed';
  errors: TaskError[];
}

export interface KeptTask {
  readonly name: string;
  readonly taskType: TaskProperties['taskType'];
  /** Passwords are taken out. */
  readonly input: unknown;
  readonly clientData: Readonly<Record<string, string>> | null;
  state: TaskState;
  errors: TaskError[];
  commands: KeptCommand[];
  /** Of a connection's test: what it found. */
  found: unknown;
  /** Of a migration. */
  sync: SyncOutput | null;
}

export interface KeptProject {
  readonly name: string;
  readonly location: string;
  readonly createdAt: string;
  tags: Record<string, string>;
  properties: Pick<ProjectBody['properties'], 'sourcePlatform' | 'targetPlatform'>;
  databases: { sourceDatabaseName: string }[];
  readonly tasks: Record<string, KeptTask>;
}

export interface KeptService {
  readonly name: string;
  readonly subscription: string;
  readonly group: string;
  readonly location: string;
  readonly createdAt: string;
  tags: Record<string, string>;
  sku: { name: string; tier: string; size: string };
  subnet: string;
  nic: string | null;
  state: ServiceState;
  readonly projects: Record<string, KeptProject>;
}

type Params = Readonly<Record<string, string>>;

/** The services of one subscription with their projects and tasks, kept on disk. */
export class DataMigrations {
  readonly context: CloudContext;
  /** A fault for work of the service that is no request; the request that began it keeps its name in the log. */
  readonly fault: (operation: string) => Fault | null;
  readonly #store: Store<Record<string, KeptService>>;

  private constructor(context: CloudContext, store: Store<Record<string, KeptService>>) {
    this.context = context;
    this.fault = AsyncResource.bind((operation: string) => context.faults.take('azure', operation));
    this.#store = store;
  }

  static async open(context: CloudContext): Promise<DataMigrations> {
    return new DataMigrations(context, await context.store('azure/data-migration', {}));
  }

  save(): Promise<void> {
    return this.#store.save();
  }

  all(): KeptService[] {
    return Object.values(this.#store.value);
  }

  add(service: KeptService): Promise<void> {
    this.#store.value[keyOf(service)] = service;
    return this.save();
  }

  /** By the key that operations carry. */
  byKey(key: string): KeptService {
    const service = this.#store.value[key];
    if (service !== undefined) return service;
    throw notFound(key.split('/')[1] ?? '', key.split('/')[0] ?? '');
  }

  remove(key: string): Promise<void> {
    delete this.#store.value[key];
    return this.save();
  }

  findService({ group = '', service = '' }: Params): KeptService | null {
    return this.#store.value[keyOf({ group, name: service })] ?? null;
  }

  /** @throws ArmError ResourceNotFound */
  service(params: Params): KeptService {
    const service = this.findService(params);
    if (service !== null) return service;
    throw notFound(params['service'] ?? '', params['group'] ?? '');
  }

  findProject(params: Params): KeptProject | null {
    return this.service(params).projects[(params['project'] ?? '').toLowerCase()] ?? null;
  }

  project(params: Params): KeptProject {
    const project = this.findProject(params);
    if (project !== null) return project;
    throw notFound(`${params['service']}/projects/${params['project']}`, params['group'] ?? '');
  }

  findTask(params: Params): KeptTask | null {
    return this.project(params).tasks[(params['task'] ?? '').toLowerCase()] ?? null;
  }

  task(params: Params): KeptTask {
    const task = this.findTask(params);
    if (task !== null) return task;
    const { group = '', service, project } = params;
    throw notFound(`${service}/projects/${project}/tasks/${params['task']}`, group);
  }
}

export function keyOf({ group, name }: { group: string; name: string }): string {
  return `${group}/${name}`.toLowerCase();
}

export function isActive({ state }: KeptTask): boolean {
  return state === 'Queued' || state === 'Running';
}

export function activeTasks(service: KeptService): KeptTask[] {
  return Object.values(service.projects).flatMap(({ tasks }) =>
    Object.values(tasks).filter(isActive),
  );
}

export function serviceId({ subscription, group, name }: KeptService): string {
  return `/subscriptions/${subscription}/resourceGroups/${group}/providers/${NAMESPACE}/services/${name}`;
}

export function etagOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}

function notFound(what: string, group: string): ArmError {
  return new ArmError(
    404,
    'ResourceNotFound',
    `The Resource '${NAMESPACE}/services/${what}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}
