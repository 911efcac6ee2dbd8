import type { FlexibleServer } from '../../clouds/azure/flexible-server.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import type { Act } from '../act.ts';
import type { Goal } from './converge.ts';
import { busyServer, convergingAct, mustFind } from './converge.ts';
import type { TargetInput } from './target.ts';
import { azureTarget, firewallRuleName, refuseUnmanaged } from './target.ts';

export interface WantedRule {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

export function workerRules(config: MigrationConfig): readonly WantedRule[] {
  const { worker } = azureTarget(config).firewall;
  if (worker === undefined) return [];
  return [{ rule: firewallRuleName(config, 'worker'), from: worker, to: worker }];
}

export function consumerRules(config: MigrationConfig): readonly WantedRule[] {
  return azureTarget(config).firewall.consumers.map(({ name, from, to }) => ({
    rule: firewallRuleName(config, `consumer-${name}`),
    from,
    to,
  }));
}

export function openFirewallAct(
  { config }: TargetInput,
  server: FlexibleServer,
  rules: readonly WantedRule[],
): Act {
  return convergingAct({
    server,
    look: async (signal) => {
      const found = await mustFind(server, signal);
      const busy = busyServer(found);
      if (busy !== null) return busy;
      const missing = await missingRules(server, rules, signal);
      const [next] = missing;
      if (next === undefined)
        return { is: 'as-wanted', note: `let in: ${listRules(rules)}`, server: found };
      refuseUnmanaged(config, found, 'firewall');
      return {
        is: 'to-do',
        step: `let in ${listRules([next])}`,
        operation: () => ({ kind: 'put-firewall-rule', ...next }),
      };
    },
  });
}

export function closeFirewallGoal(server: FlexibleServer, rules: readonly WantedRule[]): Goal {
  return {
    server,
    look: async (signal) => {
      const found = await mustFind(server, signal);
      const busy = busyServer(found);
      if (busy !== null) return busy;
      for (const { rule } of rules) {
        if ((await server.firewallRule(rule, signal)) === null) continue;
        return {
          is: 'to-do',
          step: `remove the firewall rule ${rule}`,
          operation: () => ({ kind: 'delete-firewall-rule', rule }),
        };
      }
      return { is: 'as-wanted', note: `no longer let in: ${listRules(rules)}`, server: found };
    },
  };
}

export async function missingRules(
  server: FlexibleServer,
  rules: readonly WantedRule[],
  signal: AbortSignal,
): Promise<readonly WantedRule[]> {
  const missing: WantedRule[] = [];
  for (const wanted of rules) {
    const found = await server.firewallRule(wanted.rule, signal);
    if (found?.from !== wanted.from || found.to !== wanted.to) missing.push(wanted);
  }
  return missing;
}

export function listRules(rules: readonly WantedRule[]): string {
  return rules
    .map(({ rule, from, to }) => `${from === to ? from : `${from} to ${to}`} (${rule})`)
    .join(', ');
}
