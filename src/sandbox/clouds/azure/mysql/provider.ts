import type { CloudContext, CloudResponse, CloudService } from '../../service.ts';
import { json } from '../arm-error.ts';
import { createArmService } from '../arm.ts';
import { configurationRoutes, configurationRunners, configurationViews, showConfiguration } from './configurations.ts'; // prettier-ignore
import { databaseRoutes, databaseRunners, showDatabase } from './databases.ts';
import { firewallRuleRoutes, firewallRuleRunners, showFirewallRule } from './firewall-rules.ts'; // prettier-ignore
import { locationRoutes } from './location-routes.ts';
import { API_VERSIONS } from './schemas.ts';
import { serverRoutes } from './server-routes.ts';
import { serverRunners } from './server-runners.ts';
import { Servers, serverView } from './servers.ts';
import { Operations } from '../operations.ts';

const NAMESPACE = 'Microsoft.DBforMySQL';

/** Azure Database for MySQL flexible server: behind each server a real mysqld. */
export async function createFlexibleServersService(context: CloudContext): Promise<CloudService> {
  const servers = await Servers.open(context);
  const operations = await Operations.open(context, NAMESPACE, {
    ...serverRunners(servers),
    ...configurationRunners(servers),
    ...firewallRuleRunners(servers),
    ...databaseRunners(servers),
  });
  return await createArmService(context, {
    namespace: NAMESPACE,
    routes: [
      ...serverRoutes(servers, operations),
      ...configurationRoutes(servers, operations),
      ...firewallRuleRoutes(servers, operations),
      ...databaseRoutes(servers, operations),
      ...locationRoutes(servers),
      ...operations.routes(API_VERSIONS, (resource) => show(servers, resource)),
    ],
    close: () => operations.close(),
  });
}

/** What a finished operation has made: `server`, or `server/kind/name`. */
async function show(servers: Servers, resource: string): Promise<CloudResponse> {
  const [name = '', kind, item = ''] = resource.split('/');
  const server = servers.named(name);
  switch (kind) {
    case undefined:
      return json(200, serverView(server));
    case 'firewallRules':
      return showFirewallRule(server, item);
    case 'databases':
      return await showDatabase(servers, server, item);
    default:
      return item === ''
        ? json(200, { value: await configurationViews(servers, server) })
        : await showConfiguration(servers, server, item);
  }
}
