import { SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import { untilAvailable } from './await-server.ts';
import { alreadySo, begun } from './begun.ts';
import { lookAtGroup, requireQuiet } from './look.ts';
import type { RdsSource } from './source.ts';
import { ownGroupName, requireView } from './source.ts';

/** No outage: the values come with the next reboot. */
export function attachGroupAct(source: RdsSource): Act {
  const { api, server } = source;
  const name = ownGroupName(source);
  return {
    begin: async (signal) => {
      const view = await requireView(source, signal);
      if (view.parameterGroup === name) return alreadySo;
      const { own } = await lookAtGroup(source, view, signal);
      if (own?.state !== 'ours') {
        throw new SkyferryFailure(
          'CLOUD_FAILED',
          `the parameter group ${name} is ${own?.state === 'taken' ? 'not this migration’s alone' : 'not there'}`,
          { safe: `${server.id} was not changed`, next: 'retry: what is missing is planned anew' },
        );
      }
      requireQuiet(source, view);
      await api.attachGroup(server, name, signal);
      return begun(name);
    },
    complete: async (_, waiting) => {
      const { parameterGroup, applyStatus } = await untilAvailable(source, waiting);
      if (parameterGroup !== name) {
        throw new SkyferryFailure('CLOUD_FAILED', `${server.id} still uses ${parameterGroup}`, {
          safe: 'it serves as before',
          next: 'see its events in the RDS console, then retry',
        });
      }
      return { note: `${server.id} uses the parameter group ${name} (${applyStatus})` };
    },
  };
}
