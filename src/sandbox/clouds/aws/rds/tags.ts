import type {
  AddTagsToResourceMessage,
  ListTagsForResourceMessage,
  Tag,
  TagListMessage,
} from '@aws-sdk/client-rds';
import { QueryFailure } from '../query-protocol.ts';
import type { Instance, Rds } from './state.ts';
import { arn, lookUpGroup } from './state.ts';
import { serverId } from './server.ts';

/**
 * Sets the scene: an instance that is tagged so has that status until the tag says `available`, e.g.
 * `storage-full`, whose server does not serve.
 */
const STATUS_TAG = 'sandbox:status';

export function tagList({ store }: Rds, resource: string): Tag[] {
  return Object.entries(store.value.tags[resource] ?? {}).map(([Key, Value]) => ({ Key, Value }));
}

export function setTags({ store }: Rds, resource: string, tags: readonly Tag[] | undefined): void {
  if (tags === undefined || tags.length === 0) return;
  const all = (store.value.tags[resource] ??= {});
  for (const { Key = '', Value = '' } of tags) {
    if (Key.startsWith('aws:')) {
      throw new QueryFailure('InvalidParameterValue', 'Tag keys may not begin with aws:');
    }
    all[Key] = Value;
  }
}

export async function addTags(
  rds: Rds,
  { ResourceName = '', Tags }: AddTagsToResourceMessage,
): Promise<void> {
  const resource = existing(rds, ResourceName);
  setTags(rds, resource, Tags);
  const status = Tags?.find(({ Key }) => Key === STATUS_TAG)?.Value;
  const instance = Object.values(rds.store.value.instances).find(
    ({ id }) => arn(rds, 'db', id) === resource,
  );
  if (status !== undefined && instance !== undefined) await pretend(rds, instance, status);
}

export function listTags(
  rds: Rds,
  { ResourceName = '' }: ListTagsForResourceMessage,
): TagListMessage {
  return { TagList: tagList(rds, existing(rds, ResourceName)) };
}

async function pretend({ context }: Rds, instance: Instance, status: string): Promise<void> {
  if (instance.task !== null) {
    throw new QueryFailure('InvalidDBInstanceState', `${instance.id} is ${instance.status}`);
  }
  if (status === 'storage-full') await context.servers.stop(serverId(instance));
  if (instance.status === 'storage-full' && status === 'available') {
    await context.servers.start(serverId(instance));
  }
  instance.status = status;
}

function existing(rds: Rds, resource: string): string {
  const [, kind = '', ...rest] = /^arn:aws:rds:[^:]+:\d{12}:([a-z-]+):(.+)$/.exec(resource) ?? [];
  const name = rest.join(':').toLowerCase();
  const { instances, clusters, proxies } = rds.store.value;
  const found: Readonly<Record<string, () => [found: boolean, code: string]>> = {
    db: () => [Object.hasOwn(instances, name), 'DBInstanceNotFound'],
    cluster: () => [Object.hasOwn(clusters, name), 'DBClusterNotFoundFault'],
    'db-proxy': () => [Object.hasOwn(proxies, name), 'DBProxyNotFoundFault'],
    pg: () => [lookUpGroup(rds, 'instance', name) !== null, 'DBParameterGroupNotFound'],
    'cluster-pg': () => [lookUpGroup(rds, 'cluster', name) !== null, 'DBParameterGroupNotFound'],
  };
  const [exists, code] = found[kind]?.() ?? [false, 'InvalidParameterValue'];
  if (!exists) {
    const status = code === 'InvalidParameterValue' ? 400 : 404;
    throw new QueryFailure(code, `Not found: ${resource}`, status);
  }
  return resource.toLowerCase();
}
