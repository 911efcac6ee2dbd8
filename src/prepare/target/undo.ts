import type { AzureClients } from '../../clouds/azure/clients.ts';
import type { FlexibleServer, ServerView } from '../../clouds/azure/flexible-server.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import type { Formers } from '../act.ts';
import type { Goal } from './converge.ts';
import { busyServer, convergingAct, mustFind } from './converge.ts';
import type { WantedRule } from './firewall.ts';
import { closeFirewallGoal, consumerRules, workerRules } from './firewall.ts';
import type { Parameters, Values } from './parameter-values.ts';
import { differing, neverTurnedBack } from './parameters.ts';
import { describePrice, serverPrice } from './prices.ts';
import type { Size } from './resize.ts';
import { describeSize, sizeChange } from './resize.ts';
import { listValues } from './set-parameters.ts';
import { azureTarget, isOurs, openServer } from './target.ts';

export interface UndoTargetInput {
  readonly config: MigrationConfig;
  readonly clients: AzureClients;
  readonly formers: Formers;
  /** Removes the server, if this migration made it. */
  readonly deleteCreated: boolean;
}

export interface UndoOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (step: string) => void;
}

/**
 * What abort does on the target, a line for each thing: what was borrowed is given back, what was made
 * is listed, and removed only when told so and when its tags say whose it is. Safe to repeat.
 */
export async function undoTarget(
  { config, clients, formers, deleteCreated }: UndoTargetInput,
  { signal, onProgress = () => {} }: UndoOptions,
): Promise<string[]> {
  const server = await openServer(config, clients);
  const found = await server.find(signal);
  if (found === null) return deleteCreated ? goneLines(config) : [];
  const reach = async (goal: Goal) => {
    const act = convergingAct(goal);
    const begun = await act.begin(signal);
    return (await act.complete(begun, { signal, onProgress })).note;
  };
  if (isOurs(config, found)) {
    if (deleteCreated) return [await reach(removal(config, server))];
    return [...(await closed(server, workerRules(config), reach)), keptLine(config, found)];
  }
  return [
    ...(await closed(
      server,
      [...workerRules(config), ...ownConsumerRules(config, formers)],
      reach,
    )),
    ...(await restored(server, formers, reach)),
  ];
}

type Reach = (goal: Goal) => Promise<string>;

function removal(config: MigrationConfig, server: FlexibleServer): Goal {
  const { server: name, resourceGroup } = azureTarget(config);
  const done = {
    is: 'as-wanted',
    note: `removed the Azure server ${name} in ${resourceGroup}, which this migration had made`,
  } as const;
  return {
    server,
    look: async (signal) => {
      const found = await server.find(signal);
      // Somebody else's by now, so it is not what was to be removed.
      if (found === null || !isOurs(config, found)) return done;
      if (!['Ready', 'Stopped', 'Disabled'].includes(found.state)) {
        return { is: 'busy', what: `the server is ${found.state}` };
      }
      return {
        is: 'to-do',
        step: `remove ${name}`,
        operation: () => ({ kind: 'delete-server' }),
      };
    },
  };
}

/** By an earlier try of this abort, perhaps, whose own words are lost. */
function goneLines(config: MigrationConfig): string[] {
  const { server, resourceGroup, create } = azureTarget(config);
  return create === undefined ? [] : [`the Azure server ${server} is not in ${resourceGroup}`];
}

/** Those that were made now: an earlier migration of this name may have let applications in for good. */
function ownConsumerRules(config: MigrationConfig, formers: Formers): readonly WantedRule[] {
  const made = formers['azure/firewall-consumers'] ?? {};
  return consumerRules(config).filter(({ rule }) => made[rule] !== undefined);
}

async function closed(
  server: FlexibleServer,
  rules: readonly WantedRule[],
  reach: Reach,
): Promise<string[]> {
  return rules.length === 0 ? [] : [await reach(closeFirewallGoal(server, rules))];
}

/** The size first: some values fit the former one alone. */
async function restored(server: FlexibleServer, formers: Formers, reach: Reach): Promise<string[]> {
  const { sku, iops } = formers['azure/load-size'] ?? formers['azure/run-size'] ?? {};
  const values = { ...formers['azure/run-parameters'], ...formers['azure/load-parameters'] };
  const lasting = Object.keys(values).filter((name) => neverTurnedBack.has(name));
  for (const name of lasting) delete values[name];
  const lines: string[] = [];
  if (sku !== undefined) {
    const size = { sku, iops: iops === undefined ? undefined : Number(iops), storageGb: undefined };
    lines.push(await reach(formerSize(server, size)));
  }
  if (Object.keys(values).length > 0) lines.push(await reach(formerParameters(server, values)));
  if (lasting.length > 0) {
    lines.push(`${lasting.join(' and ')} stay as they are: Azure lets nobody turn GTIDs off again`);
  }
  return lines;
}

function formerSize(server: FlexibleServer, size: Size): Goal {
  return {
    server,
    look: async (signal) => {
      const found = await mustFind(server, signal);
      const change = sizeChange(found, size);
      if (change === null) {
        return { is: 'as-wanted', note: `the size is as before: ${describeSize(size)}` };
      }
      return (
        busyServer(found) ?? {
          is: 'to-do',
          step: `back to ${describeSize(size)}`,
          operation: () => ({ kind: 'update-server', change }),
        }
      );
    },
  };
}

function formerParameters(server: FlexibleServer, values: Values): Goal {
  return {
    server,
    look: async (signal) => {
      const busy = busyServer(await mustFind(server, signal));
      if (busy !== null) return busy;
      const listed = await server.parameters(signal);
      const missing = differing(values, listed);
      if (Object.keys(missing).length === 0) {
        return { is: 'as-wanted', note: asBefore(values, listed) };
      }
      return {
        is: 'to-do',
        step: `put back ${listValues(missing)}`,
        operation: () => ({ kind: 'set-parameters', values: missing }),
      };
    },
  };
}

/** A server that others use is not restarted by an abort. */
function asBefore(values: Values, listed: Parameters): string {
  const note = `parameters are as before: ${listValues(values)}`;
  const pending = Object.keys(values).filter((name) => listed.get(name)?.isPendingRestart === true);
  return pending.length === 0 ? note : `${note}; at its next restart: ${pending.join(', ')}`;
}

function keptLine(config: MigrationConfig, server: ServerView): string {
  const target = azureTarget(config);
  const standby = server.highAvailability !== 'Disabled';
  const price = serverPrice({ sku: server.sku, storageGb: server.storageGb, standby }, target);
  return `kept the Azure server ${target.server} in ${target.resourceGroup}, which this migration made: it goes on costing ${describePrice(price, target)}; skyferry abort --delete-created removes it, or az mysql flexible-server delete`;
}
