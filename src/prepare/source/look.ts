import type { GroupParameter, GroupView } from '../../clouds/aws/parameter-groups.ts';
import { isDefaultGroup } from '../../clouds/aws/parameter-groups.ts';
import type { RdsView } from '../../clouds/aws/rds.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { ServerSettings } from './server-settings.ts';
import { groupVariables } from './server-settings.ts';
import type { RdsSource } from './source.ts';
import { OWNER_TAG, ownGroupName } from './source.ts';

/** Everything that a plan for the parameter group has to know. */
export interface GroupSituation {
  /** Attached now. */
  readonly attached: GroupView;
  /** Other servers that use the attached group: what is set there is set for them too. */
  readonly sharedWith: readonly string[];
  /** In the group that will be in force: the own one when it is there already. */
  readonly parameters: ReadonlyMap<string, GroupParameter>;
  /** Null: nothing of its own is needed, the attached group may be changed. */
  readonly own: OwnGroup | null;
}

export interface OwnGroup {
  readonly name: string;
  /** `taken`: somebody else made it, or somebody else uses it. */
  readonly state: 'missing' | 'ours' | 'taken';
}

export interface SourceSituation {
  readonly view: RdsView;
  readonly settings: ServerSettings;
  readonly group: GroupSituation;
}

/** What comes and goes by itself: waiting is all that it takes. */
const passing =
  /^(creating|modifying|rebooting|backing-up|starting|upgrading|maintenance|renaming|resetting-master-credentials|storage-config-upgrade|configuring-.*|moving-to-vpc)$/;

/** Storage is optimized for hours, while the instance serves and can be changed in all that is needed here. */
export function serves({ status }: RdsView): boolean {
  return status === 'available' || status === 'storage-optimization';
}

/** CLOUD_BUSY while something is under way that would make every answer old. */
export function requireQuiet({ server }: RdsSource, view: RdsView): void {
  const { status } = view;
  if (serves(view) || !passing.test(status)) return;
  throw new SkyferryFailure('CLOUD_BUSY', `${server.id} is ${status}`, {
    safe: 'nothing was changed',
    next: 'it is asked again by itself until it is available',
  });
}

export async function lookAtGroup(
  source: RdsSource,
  { parameterGroup }: RdsView,
  signal: AbortSignal,
): Promise<GroupSituation> {
  const { groups, api, server, config } = source;
  const attached = await groups.view(parameterGroup, signal);
  if (attached === null) {
    throw new SkyferryFailure(
      'CLOUD_FAILED',
      `the parameter group ${parameterGroup} of ${server.id} is not there`,
      { next: 'look at the instance in the RDS console, then retry' },
    );
  }
  const isDefault = isDefaultGroup(parameterGroup);
  const members = isDefault ? [] : await api.membersOf(parameterGroup, server, signal);
  const sharedWith = members.filter((id) => id !== server.id);
  const name = ownGroupName(source);
  // A shared group is left only for one that the user named: which of its readers moves is no guess.
  const needsOwn = isDefault || (sharedWith.length > 0 && config.parameterGroup !== undefined);
  const own = needsOwn && name !== parameterGroup ? await lookAtOwn(source, name, signal) : null;
  const inForce = own?.state === 'ours' ? own.name : parameterGroup;
  return {
    attached,
    sharedWith,
    own,
    parameters: await groups.parameters(inForce, groupVariables, signal),
  };
}

async function lookAtOwn(source: RdsSource, name: string, signal: AbortSignal): Promise<OwnGroup> {
  const { groups, api, server, input } = source;
  const view = await groups.view(name, signal);
  if (view === null) return { name, state: 'missing' };
  const users = await api.membersOf(name, server, signal);
  const ours = view.tags[OWNER_TAG] === input.config.name;
  return { name, state: ours && users.every((id) => id === server.id) ? 'ours' : 'taken' };
}
