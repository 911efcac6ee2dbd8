import type { FlexibleServer } from '../../clouds/azure/flexible-server.ts';
import type { Act } from '../act.ts';
import { busyServer, convergingAct, mustFind } from './converge.ts';
import type { TargetInput } from './target.ts';
import { azureTarget, HANDED_OVER_TAG } from './target.ts';

/**
 * The first thing after the switch: a later start of the same name must neither resize the server nor set
 * values on it, and no abort may remove it.
 */
export function handOverAct({ config }: TargetInput, server: FlexibleServer): Act {
  const name = azureTarget(config).server;
  return convergingAct({
    server,
    look: async (signal) => {
      const found = await mustFind(server, signal);
      if (found.tags[HANDED_OVER_TAG] !== undefined) {
        return {
          is: 'as-wanted',
          note: `the Azure server ${name} is handed over: no abort removes it`,
        };
      }
      const tags = { ...found.tags, [HANDED_OVER_TAG]: new Date().toISOString() };
      return (
        busyServer(found) ?? {
          is: 'to-do',
          step: `hand ${name} over`,
          operation: () => ({ kind: 'update-server', change: { tags } }),
        }
      );
    },
  });
}
