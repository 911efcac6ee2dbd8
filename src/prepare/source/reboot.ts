import type { Act } from '../act.ts';
import { untilServerSays } from './await-server.ts';
import { alreadySo, begun } from './begun.ts';
import { requireQuiet } from './look.ts';
import { spellOut, waitingValues } from './plan-group.ts';
import { groupVariables } from './server-settings.ts';
import type { RdsSource } from './source.ts';
import { askServer, requireView } from './source.ts';

/** Reboots unless one is under way or everything is in force: sent twice, it is one reboot. */
export function rebootAct(source: RdsSource): Act {
  const { api, server, groups } = source;
  return {
    begin: async (signal) => {
      const view = await requireView(source, signal);
      if (view.status === 'rebooting') return begun('rebooting');
      requireQuiet(source, view);
      const settings = await askServer(source, view, signal);
      const parameters = await groups.parameters(view.parameterGroup, groupVariables, signal);
      const inForce = waitingValues(parameters, settings).length === 0;
      if (inForce && view.applyStatus === 'in-sync') return alreadySo;
      await api.reboot(view.instance.DBInstanceIdentifier ?? server.id, signal);
      return begun('rebooting');
    },
    complete: async (_, waiting) => {
      const settings = await untilServerSays(
        source,
        // Read by the group's own word: what it says is what the reboot was for.
        (now, { applyStatus }) =>
          applyStatus === 'in-sync' ? null : `it was rebooted, and its parameters are ${applyStatus} (gtid_mode=${now.gtidMode})`, // prettier-ignore
        waiting,
      );
      const { parameterGroup } = await requireView(source, waiting.signal);
      const parameters = await groups.parameters(parameterGroup, groupVariables, waiting.signal);
      await untilServerSays(
        source,
        (now) => {
          const late = waitingValues(parameters, now);
          return late.length === 0 ? null : `its group says ${spellOut(late)}, its server does not`;
        },
        waiting,
      );
      return {
        note: `${server.id} serves again, ${settings.version}, with ${spellOut([...parameters.values()])}`,
      };
    },
  };
}
