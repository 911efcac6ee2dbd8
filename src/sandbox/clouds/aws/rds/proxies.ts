import type {
  CreateDBProxyRequest,
  CreateDBProxyResponse,
  DBProxy,
  DBProxyTarget,
  DescribeDBProxiesRequest,
  DescribeDBProxiesResponse,
  DescribeDBProxyTargetsRequest,
  DescribeDBProxyTargetsResponse,
  RegisterDBProxyTargetsRequest,
  RegisterDBProxyTargetsResponse,
} from '@aws-sdk/client-rds';
import { page } from './paging.ts';
import { QueryFailure } from '../query-protocol.ts';
import type { Proxy, Rds } from './state.ts';
import { arn, findCluster, findInstance } from './state.ts';

/** RDS Proxy: there to be recognised; none of them serves. */
export function createProxy(rds: Rds, input: CreateDBProxyRequest): CreateDBProxyResponse {
  const name = (input.DBProxyName ?? '').toLowerCase();
  const { proxies } = rds.store.value;
  if (Object.hasOwn(proxies, name)) {
    throw new QueryFailure('DBProxyAlreadyExistsFault', `DBProxy ${name} already exists`);
  }
  const proxy = { name, instances: [], clusters: [], createdAt: new Date().toISOString() };
  proxies[name] = proxy;
  return { DBProxy: describeProxy(rds, proxy) };
}

export function registerTargets(
  rds: Rds,
  input: RegisterDBProxyTargetsRequest,
): RegisterDBProxyTargetsResponse {
  const { DBInstanceIdentifiers: instances = [], DBClusterIdentifiers: clusters = [] } = input;
  const proxy = findProxy(rds, input.DBProxyName ?? '');
  proxy.instances.push(...instances.map((id) => findInstance(rds, id).id));
  proxy.clusters.push(...clusters.map((id) => findCluster(rds, id).id));
  return { DBProxyTargets: targetsOf(rds, proxy) };
}

export function describeTargets(
  rds: Rds,
  input: DescribeDBProxyTargetsRequest,
): DescribeDBProxyTargetsResponse {
  const proxy = findProxy(rds, input.DBProxyName ?? '');
  const { items, ...more } = page(targetsOf(rds, proxy), input);
  return { Targets: items, ...more };
}

export function describeProxies(
  rds: Rds,
  input: DescribeDBProxiesRequest,
): DescribeDBProxiesResponse {
  const { DBProxyName: name } = input;
  const all = name === undefined ? Object.values(rds.store.value.proxies) : [findProxy(rds, name)];
  const { items, ...more } = page(all, input);
  return { DBProxies: items.map((proxy) => describeProxy(rds, proxy)), ...more };
}

function findProxy({ store }: Rds, name: string): Proxy {
  const proxy = store.value.proxies[name.toLowerCase()];
  if (proxy === undefined) {
    throw new QueryFailure('DBProxyNotFoundFault', `DBProxy ${name} not found.`, 404);
  }
  return proxy;
}

function targetsOf({ context }: Rds, { instances, clusters }: Proxy): DBProxyTarget[] {
  const { port: Port } = context.servers;
  return [
    ...instances.map((id) => ({ RdsResourceId: id, Type: 'RDS_INSTANCE' as const, Port })),
    ...clusters.map((id) => ({ RdsResourceId: id, Type: 'TRACKED_CLUSTER' as const, Port })),
  ];
}

function describeProxy(rds: Rds, { name, createdAt }: Proxy): DBProxy {
  return {
    DBProxyName: name,
    DBProxyArn: arn(rds, 'db-proxy', name),
    Status: 'available',
    EngineFamily: 'MYSQL',
    Endpoint: `${name}.proxy-sandbox.${rds.context.region}.rds.amazonaws.com`,
    CreatedDate: new Date(createdAt),
  };
}
