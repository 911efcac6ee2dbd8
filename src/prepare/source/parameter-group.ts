import type { GroupView } from '../../clouds/aws/parameter-groups.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import type { Waiting } from './await-server.ts';
import { untilAvailable, untilServerSays } from './await-server.ts';
import { alreadySo, begun } from './begun.ts';
import type { GroupSituation } from './look.ts';
import { lookAtGroup } from './look.ts';
import type { Values } from './plan-group.ts';
import { missingInGroup, nextValues, spellOut, valuesFor } from './plan-group.ts';
import type { GtidMode, ServerSettings } from './server-settings.ts';
import { groupVariables, gtidModes, valueOf } from './server-settings.ts';
import type { RdsSource } from './source.ts';
import { askServer, OWNER_TAG, requireView } from './source.ts';

/** Makes the own group where there is none, and sets the formats and the next GTID step in it. */
export function parameterGroupAct(source: RdsSource): Act {
  const { groups, input } = source;
  return {
    begin: async (signal) => {
      const view = await requireView(source, signal);
      const settings = await askServer(source, view, signal);
      const situation = await lookAtGroup(source, view, signal);
      const { attached, own } = situation;
      refuseForeign(source, situation);
      if (own?.state === 'missing') {
        const group: GroupView = {
          name: own.name,
          family: attached.family,
          tags: { [OWNER_TAG]: input.config.name },
        };
        const description = `Skyferry migration ${input.config.name}`;
        if (situation.sharedWith.length > 0) {
          await groups.copy(attached.name, group, description, signal);
        } else {
          await groups.create(group, description, signal);
        }
      }
      const name = own?.name ?? attached.name;
      const sent = await setMissing(source, name, nextValues(settings), signal);
      return own?.state === 'missing' || sent ? begun(name) : alreadySo;
    },
    complete: async ({ token }, waiting) => {
      const { parameterGroup } = await requireView(source, waiting.signal);
      const name = token ?? parameterGroup;
      return { note: await untilInForce(source, name, waiting) };
    },
  };
}

/** One step of the GTID mode: only the one after what the server has now. */
export function gtidModeAct(source: RdsSource, mode: GtidMode): Act {
  return {
    begin: async (signal) => {
      const view = await requireView(source, signal);
      const settings = await askServer(source, view, signal);
      const now = gtidModes.indexOf(settings.gtidMode);
      const wanted = gtidModes.indexOf(mode);
      if (now > wanted) return alreadySo;
      if (wanted - now > 1) {
        throw new SkyferryFailure(
          'CLOUD_FAILED',
          `${source.server.id} has gtid_mode=${settings.gtidMode}, and ${mode} is more than one step away`,
          { safe: 'nothing was changed', next: 'retry: the steps are planned anew' },
        );
      }
      refuseForeign(source, await lookAtGroup(source, view, signal));
      const values = valuesFor({
        gtidMode: mode,
        consistency: mode === 'ON' || settings.consistency === 'ON' ? 'ON' : 'WARN',
      });
      const sent = await setMissing(source, view.parameterGroup, values, signal);
      return sent ? begun(view.parameterGroup) : alreadySo;
    },
    complete: async (_, waiting) => {
      const { parameterGroup } = await requireView(source, waiting.signal);
      return { note: await untilInForce(source, parameterGroup, waiting) };
    },
  };
}

/** What others use or made is never changed, whatever the plan was made from. */
function refuseForeign({ server }: RdsSource, { own, attached, sharedWith }: GroupSituation): void {
  if (own?.state !== 'taken' && (own !== null || sharedWith.length === 0)) return;
  const name = own?.name ?? attached.name;
  throw new SkyferryFailure(
    'CLOUD_UNAVAILABLE',
    `the parameter group ${name} is not this migration’s alone${sharedWith.length > 0 ? `: ${sharedWith.join(', ')} use it` : ''}`,
    {
      safe: 'it was not changed',
      next: `name another one in source.parameterGroup for ${server.id}, then retry`,
    },
  );
}

async function setMissing(
  { groups }: RdsSource,
  name: string,
  values: Values,
  signal: AbortSignal,
): Promise<boolean> {
  const missing = missingInGroup(await groups.parameters(name, groupVariables, signal), values);
  if (missing.length === 0) return false;
  await groups.set(name, missing, signal);
  return true;
}

/** Dynamic values of an attached group reach the server by themselves; the others wait for its reboot. */
async function untilInForce(source: RdsSource, name: string, waiting: Waiting): Promise<string> {
  const parameters = await source.groups.parameters(name, groupVariables, waiting.signal);
  const says = `the parameter group ${name} says ${spellOut([...parameters.values()])}`;
  const view = await untilAvailable(source, waiting);
  if (view.parameterGroup !== name) return says;
  const differing = (settings: ServerSettings) =>
    [...parameters].filter(
      ([variable, { value }]) =>
        value !== null && value.toUpperCase() !== valueOf(settings, variable),
    );
  await untilServerSays(
    source,
    (settings, { applyStatus }) => {
      const late = differing(settings).filter(([, { applyType }]) => applyType === 'dynamic');
      if (applyStatus === 'pending-reboot' || late.length === 0) return null;
      return `${late.map(([variable]) => variable).join(', ')} not in force yet`;
    },
    waiting,
  );
  return `${says}; what is static waits for the reboot`;
}
