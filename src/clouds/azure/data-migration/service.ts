import { isAzureNotFound } from '../errors.ts';
import type { CallOptions } from './ask.ts';
import { askSdk } from './ask.ts';
import type { DataMigrationClient } from './client.ts';
import { rawOf, textOf } from './raw.ts';
import { sendRaw } from './send-raw.ts';
import type { TaskRequest } from './task-request.ts';
import type { TaskView } from './task-view.ts';
import { toTaskView } from './task-view.ts';

export interface ServiceView {
  /** `Succeeded` is at work; `Accepted`, `Deploying`, `Deleting`, `Stopped`, …. */
  readonly state: string;
  readonly location: string;
  readonly sku: string;
  readonly tier: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Its resource id. */
  readonly subnet: string;
}

export interface ProjectView {
  readonly tags: Readonly<Record<string, string>>;
}

interface ServiceId {
  readonly client: DataMigrationClient;
  readonly resourceGroup: string;
  readonly service: string;
}

interface NewService {
  readonly location: string;
  readonly subnet: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The only one that follows changes. */
const ONLINE_SKU = { name: 'Premium_4vCores', tier: 'Premium', size: '4 vCores' } as const;

/** One service of Azure's Database Migration Service (classic). Every call throws CLOUD_… failures. */
export class DataMigrationService {
  readonly name: string;
  readonly #id: ServiceId;

  constructor(id: ServiceId) {
    this.name = id.service;
    this.#id = id;
  }

  /** Null: there is none of that name in the resource group. */
  async find(signal: AbortSignal): Promise<ServiceView | null> {
    const { client, resourceGroup, service } = this.#id;
    return await this.#look('the service', signal, async (options) => {
      const found = await client.sdk.services.get(resourceGroup, service, options);
      return {
        state: found.provisioningState ?? '',
        location: found.location,
        sku: found.sku?.name ?? '',
        tier: found.sku?.tier ?? '',
        tags: found.tags ?? {},
        subnet: found.virtualSubnetId,
      };
    });
  }

  /** Sends it only; `find` tells how far it is. What the SDK would wait with holds the login: it is dropped. */
  async create({ location, subnet, tags }: NewService, signal: AbortSignal): Promise<void> {
    const { client, resourceGroup, service } = this.#id;
    await askSdk(`creating the service ${service}`, signal, async (options) => {
      await client.sdk.services.beginCreateOrUpdate(
        { location, virtualSubnetId: subnet, sku: { ...ONLINE_SKU }, tags: { ...tags } },
        resourceGroup,
        service,
        options,
      );
    });
  }

  /** Sends it only, whatever runs there; going takes many minutes. One that is not there is fine. */
  async remove(signal: AbortSignal): Promise<void> {
    const { client, resourceGroup, service } = this.#id;
    await this.#drop('the service', signal, async (options) => {
      await client.sdk.services.beginDeleteMethod(resourceGroup, service, {
        ...options,
        deleteRunningTasks: true,
      });
    });
  }

  /** Null: there is none of that name. */
  async findProject(project: string, signal: AbortSignal): Promise<ProjectView | null> {
    const { client, resourceGroup, service } = this.#id;
    return await this.#look(`the project ${project}`, signal, async (options) => {
      const { tags } = await client.sdk.projects.get(resourceGroup, service, project, options);
      return { tags: tags ?? {} };
    });
  }

  async hasProject(project: string, signal: AbortSignal): Promise<boolean> {
    return (await this.findProject(project, signal)) !== null;
  }

  /** Their names; none when there is no service. */
  async projects(signal: AbortSignal): Promise<readonly string[]> {
    const { client, resourceGroup, service } = this.#id;
    const listed = await this.#look('the projects', signal, async (options) => {
      const names: string[] = [];
      let page = await client.sdk.projects.list(resourceGroup, service, options);
      for (;;) {
        names.push(...page.map(({ name }) => name ?? ''));
        if (page.nextLink === undefined) return names;
        page = await client.sdk.projects.listNext(page.nextLink, options);
      }
    });
    return listed ?? [];
  }

  /** A repeated call leaves its tasks as they are. */
  async createProject(
    project: string,
    location: string,
    signal: AbortSignal,
    tags: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { client, resourceGroup, service } = this.#id;
    await askSdk(`creating the project ${project} in ${service}`, signal, async (options) => {
      await client.sdk.projects.createOrUpdate(
        { location, sourcePlatform: 'MySQL', targetPlatform: 'AzureDbForMySql', tags: { ...tags } },
        resourceGroup,
        service,
        project,
        options,
      );
    });
  }

  /** With its tasks, running ones too. One that is not there is fine. */
  async removeProject(project: string, signal: AbortSignal): Promise<void> {
    const { client, resourceGroup, service } = this.#id;
    await this.#drop(`the project ${project}`, signal, async (options) => {
      await client.sdk.projects.deleteMethod(resourceGroup, service, project, {
        ...options,
        deleteRunningTasks: true,
      });
    });
  }

  /** With its output. Null: there is none of that name. */
  async findTask(project: string, task: string, signal: AbortSignal): Promise<TaskView | null> {
    return await this.#look(`the task ${task}`, signal, async (options) => {
      const found = await this.#sendTask(project, task, { method: 'GET', expand: true }, options);
      return toTaskView(found);
    });
  }

  /** Of one that is there already nothing is changed: it is answered with. */
  async startTask(
    project: string,
    task: string,
    body: TaskRequest,
    signal: AbortSignal,
  ): Promise<TaskView> {
    return await askSdk(`starting the task ${task}`, signal, async (options) => {
      const sent = { method: 'PUT', body: { properties: body } } as const;
      return toTaskView(await this.#sendTask(project, task, sent, options));
    });
  }

  /** Sends it only; `findTask` tells when it has ended. */
  async cancelTask(project: string, task: string, signal: AbortSignal): Promise<void> {
    const { client, resourceGroup, service } = this.#id;
    await askSdk(`cancelling the task ${task}`, signal, async (options) => {
      await client.sdk.tasks.cancel(resourceGroup, service, project, task, options);
    });
  }

  /** The command's state; `Accepted` is not done: the database's own state tells. */
  async completeDatabase(
    project: string,
    task: string,
    database: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { client, resourceGroup, service } = this.#id;
    return await askSdk(`completing ${database} in ${task}`, signal, async (options) => {
      const answer: unknown = await client.sdk.tasks.command(
        resourceGroup,
        service,
        project,
        task,
        { commandType: 'Migrate.Sync.Complete.Database', input: { databaseName: database } },
        options,
      );
      return textOf(rawOf(answer)['state']);
    });
  }

  async #sendTask(
    project: string,
    task: string,
    sent: { method: 'GET' | 'PUT'; expand?: boolean; body?: unknown },
    options: CallOptions,
  ): Promise<unknown> {
    const { client, resourceGroup, service } = this.#id;
    const path = [
      ['subscriptions', client.sdk.subscriptionId],
      ['resourceGroups', resourceGroup],
      ['providers', 'Microsoft.DataMigration'],
      ['services', service],
      ['projects', project],
      ['tasks', task],
    ].map(([kind = '', name = '']) => `${kind}/${encodeURIComponent(name)}`);
    return await sendRaw(client, { ...sent, path: path.join('/') }, options);
  }

  #named(what: string): string {
    return what === 'the service' ? `the service ${this.name}` : `${what} in ${this.name}`;
  }

  async #look<T>(
    what: string,
    signal: AbortSignal,
    ask: (options: CallOptions) => Promise<T>,
  ): Promise<T | null> {
    const doing = `looking at ${this.#named(what)}`;
    return await askSdk(doing, signal, async (options) => {
      try {
        return await ask(options);
      } catch (error) {
        if (isAzureNotFound(error)) return null;
        throw error;
      }
    });
  }

  async #drop(
    what: string,
    signal: AbortSignal,
    send: (options: CallOptions) => Promise<void>,
  ): Promise<void> {
    const doing = `removing ${this.#named(what)}`;
    await askSdk(doing, signal, async (options) => {
      try {
        await send(options);
      } catch (error) {
        if (!isAzureNotFound(error)) throw error;
      }
    });
  }
}
