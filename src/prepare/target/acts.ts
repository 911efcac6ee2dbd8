import type { FlexibleServer } from '../../clouds/azure/flexible-server.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import { convergingAct } from './converge.ts';
import { createServerAct } from './create-server.ts';
import { closeFirewallGoal, consumerRules, openFirewallAct, workerRules } from './firewall.ts';
import { handOverAct } from './hand-over.ts';
import { highAvailabilityAct } from './high-availability.ts';
import { resizeAct } from './resize.ts';
import { parametersAct } from './set-parameters.ts';
import type { TargetInput } from './target.ts';
import { openServer } from './target.ts';

const acts: Readonly<Record<string, (input: TargetInput, server: FlexibleServer) => Act>> = {
  'azure/server': createServerAct,
  'azure/firewall-worker': (input, server) =>
    openFirewallAct(input, server, workerRules(input.config)),
  'azure/firewall-consumers': (input, server) =>
    openFirewallAct(input, server, consumerRules(input.config)),
  'azure/load-size': (input, server) => resizeAct(input, server, 'load'),
  'azure/load-parameters': (input, server) => parametersAct(input, server, 'load'),
  'azure/run-parameters': (input, server) => parametersAct(input, server, 'run'),
  'azure/run-size': (input, server) => resizeAct(input, server, 'run'),
  'azure/high-availability': highAvailabilityAct,
  'azure/hand-over': handOverAct,
  'azure/final-parameters': (input, server) => parametersAct(input, server, 'final'),
  'azure/remove-worker-firewall': (input, server) =>
    convergingAct(closeFirewallGoal(server, workerRules(input.config))),
};

/** One of the acts that surveyTarget planned, by its name. */
export function targetAct(name: string, input: TargetInput): Act {
  const create = acts[name];
  if (create === undefined) {
    throw new SkyferryFailure('INTERNAL', `no act of an Azure target is called ${name}`);
  }
  const act = async () => create(input, await openServer(input.config, input.clients));
  return {
    begin: async (signal) => await (await act()).begin(signal),
    complete: async (begun, waiting) => await (await act()).complete(begun, waiting),
  };
}
