import type { DescribeDBProxiesRequest, DescribeDBProxiesResponse } from '@aws-sdk/client-rds';
import { page } from './paging.ts';
import { QueryFailure } from './query-protocol.ts';
import type { Rds } from './rds-state.ts';
import { arn } from './rds-state.ts';

/** RDS Proxy: there to be recognised; none of them serves. */
export function describeProxies(
  rds: Rds,
  input: DescribeDBProxiesRequest,
): DescribeDBProxiesResponse {
  const { DBProxyName: name } = input;
  const all = Object.values(rds.store.value.proxies).filter(
    (proxy) => name === undefined || proxy.name === name,
  );
  if (name !== undefined && all.length === 0) {
    throw new QueryFailure('DBProxyNotFoundFault', `DBProxy ${name} not found.`, 404);
  }
  const { items, ...more } = page(all, input);
  const DBProxies = items.map((proxy) => ({
    DBProxyName: proxy.name,
    DBProxyArn: arn(rds, 'db-proxy', proxy.name),
    Status: 'available' as const,
    EngineFamily: 'MYSQL',
    Endpoint: `${proxy.name}.proxy-sandbox.${rds.context.region}.rds.amazonaws.com`,
    CreatedDate: new Date(proxy.createdAt),
  }));
  return { DBProxies, ...more };
}
