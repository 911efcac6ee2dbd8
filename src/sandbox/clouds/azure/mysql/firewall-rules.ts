import type { CloudResponse } from '../../service.ts';
import { ArmError, json } from '../arm-error.ts';
import type { ArmCall, ArmRoute } from '../arm.ts';
import type { Operations, Runner } from '../operations.ts';
import type { FirewallRuleBody } from './schemas.ts';
import { API_VERSIONS, firewallRuleBody } from './schemas.ts';
import type { FirewallRule, KeptServer, Servers } from './servers.ts';
import { notFound, resourceId } from './servers.ts';

const PATH =
  '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.DBforMySQL/flexibleServers/{server}/firewallRules';
const TYPE = 'Microsoft.DBforMySQL/flexibleServers/firewallRules';
const DUE_MS = 200;

/** Rules are kept, not enforced: every client of the sandbox comes from the loopback. */
export function firewallRuleRoutes(servers: Servers, operations: Operations): ArmRoute[] {
  const begin = (call: ArmCall, kind: string, server: KeptServer, data: unknown) => {
    const { location } = server;
    const { fault, params } = call;
    const resource = `${server.name}/firewallRules/${params['rule']}`;
    return operations.begin(call, { kind, resource, location, data, dueMs: DUE_MS, fault });
  };
  const common = { apiVersions: API_VERSIONS, path: `${PATH}/{rule}` };
  return [
    {
      operation: 'FirewallRules_ListByServer',
      method: 'GET',
      path: PATH,
      action: `${TYPE}/read`,
      apiVersions: API_VERSIONS,
      answer: async ({ params }) => {
        const server = servers.get(params);
        const rules = Object.keys(server.firewallRules).map((rule) => ruleView(server, rule));
        return json(200, { value: rules });
      },
    },
    {
      ...common,
      operation: 'FirewallRules_Get',
      method: 'GET',
      action: `${TYPE}/read`,
      answer: async ({ params }) => showFirewallRule(servers.get(params), params['rule'] ?? ''),
    },
    {
      ...common,
      operation: 'FirewallRules_CreateOrUpdate',
      method: 'PUT',
      action: `${TYPE}/write`,
      body: firewallRuleBody,
      answer: async (call) => {
        const server = servers.getReady(call.params, 'UpsertFirewallRule');
        const { properties } = call.body as FirewallRuleBody;
        refuseImpossible(server, call.params['rule'] ?? '', properties);
        return await begin(call, 'put-firewall-rule', server, properties);
      },
    },
    {
      ...common,
      operation: 'FirewallRules_Delete',
      method: 'DELETE',
      action: `${TYPE}/delete`,
      answer: async (call) => {
        const server = servers.getReady(call.params, 'DropFirewallRule');
        if (server.firewallRules[call.params['rule'] ?? ''] === undefined) return { status: 204 };
        return await begin(call, 'delete-firewall-rule', server, null);
      },
    },
  ];
}

export function firewallRuleRunners(servers: Servers): Record<string, Runner> {
  const locate = (resource: string) => {
    const [name = '', , rule = ''] = resource.split('/');
    return { server: servers.named(name), rule };
  };
  return {
    'put-firewall-rule': {
      run: async (resource, data) => {
        const { server, rule } = locate(resource);
        server.firewallRules[rule] = data as FirewallRule;
        await servers.save();
      },
      fail: async () => {},
    },
    'delete-firewall-rule': {
      run: async (resource) => {
        const { server, rule } = locate(resource);
        delete server.firewallRules[rule];
        await servers.save();
      },
      fail: async () => {},
    },
  };
}

export function showFirewallRule(server: KeptServer, rule: string): CloudResponse {
  if (server.firewallRules[rule] === undefined) {
    throw notFound(`flexibleServers/${server.name}/firewallRules/${rule}`, server.group);
  }
  return json(200, ruleView(server, rule));
}

function ruleView(server: KeptServer, rule: string) {
  return {
    properties: server.firewallRules[rule],
    id: `${resourceId(server)}/firewallRules/${rule}`,
    name: rule,
    type: TYPE,
  };
}

function refuseImpossible(
  { network }: KeptServer,
  rule: string,
  { startIpAddress, endIpAddress }: FirewallRule,
): void {
  if (network.publicNetworkAccess === 'Disabled') {
    throw new ArmError(
      400,
      'FirewallRuleNotSupportedForPrivateAccess',
      'Firewall rule operations are not supported for a private access enabled server.',
    );
  }
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(rule)) {
    throw new ArmError(400, 'InvalidFirewallRuleName', `The name '${rule}' is not valid.`);
  }
  if (numberOf(startIpAddress) > numberOf(endIpAddress)) {
    throw new ArmError(
      400,
      'InvalidFirewallRuleRange',
      'The end IP address is smaller than the start IP address.',
    );
  }
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
