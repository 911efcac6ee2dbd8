import type { FlexibleServer } from '../../clouds/azure/flexible-server.ts';
import type { Act } from '../act.ts';
import { busyServer, convergingAct, mustFind } from './converge.ts';
import type { TargetInput } from './target.ts';
import { azureTarget } from './target.ts';

/** On before the fence, so that the standby's first copy costs no downtime. */
export function highAvailabilityAct({ config }: TargetInput, server: FlexibleServer): Act {
  const zoneRedundant = azureTarget(config).create?.highAvailability === 'zone-redundant';
  const mode = zoneRedundant ? 'ZoneRedundant' : 'SameZone';
  return convergingAct({
    server,
    look: async (signal) => {
      const found = await mustFind(server, signal);
      const busy = busyServer(found);
      if (busy !== null) return busy;
      if (found.highAvailability !== mode) {
        return {
          is: 'to-do',
          step: `turn high availability on (${mode})`,
          operation: () => ({ kind: 'update-server', change: { highAvailability: { mode } } }),
        };
      }
      if (found.standbyState !== 'Healthy') {
        return { is: 'busy', what: `the standby is ${found.standbyState}` };
      }
      return {
        is: 'as-wanted',
        note: `high availability is on (${mode}), the standby is healthy`,
        server: found,
      };
    },
  });
}
