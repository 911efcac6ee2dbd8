import { checkIdentifier } from './instance-checks.ts';
import type { GroupScope } from './parameters.ts';
import { families, isAurora } from './parameters.ts';
import { QueryFailure } from '../query-protocol.ts';
import type { Group, Instance, Rds } from './state.ts';
import { arn, defaultGroupName, findGroup, lookUpGroup } from './state.ts';
import { attachedGroups } from './server-values.ts';

/** A group with its name, whether somebody's own or a default one. */
export interface NamedGroup extends Group {
  readonly name: string;
}

export function listGroups(rds: Rds, scope: GroupScope, name: string | undefined): NamedGroup[] {
  if (name !== undefined) return [{ name: name.toLowerCase(), ...findGroup(rds, scope, name) }];
  const names = [
    ...families
      .filter((family) => scope === 'instance' || isAurora(family))
      .map((family) => defaultGroupName(family)),
    ...Object.keys(rds.store.value.groups[scope]),
  ];
  return names.toSorted().map((one) => ({ name: one, ...findGroup(rds, scope, one) }));
}

export function createGroup(
  rds: Rds,
  scope: GroupScope,
  name: string,
  { family, description }: { family: string; description: string },
): NamedGroup {
  const known = listGroups(rds, scope, undefined).some((group) => group.family === family);
  if (!known) {
    throw new QueryFailure(
      'InvalidParameterValue',
      `ParameterGroupFamily ${family} is not a valid parameter group family`,
    );
  }
  return addGroup(rds, scope, name, { family, description, values: {} });
}

export function copyGroup(
  rds: Rds,
  scope: GroupScope,
  source: string,
  target: string,
  description: string,
): NamedGroup {
  const { family, values } = findGroup(rds, scope, source);
  return addGroup(rds, scope, target, { family, description, values: structuredClone(values) });
}

function addGroup(rds: Rds, scope: GroupScope, name: string, group: Group): NamedGroup {
  const key = name.toLowerCase();
  checkIdentifier('DBParameterGroupName', key, 255);
  if (lookUpGroup(rds, scope, key) !== null) {
    throw new QueryFailure(
      'DBParameterGroupAlreadyExists',
      `Parameter group ${key} already exists`,
    );
  }
  rds.store.value.groups[scope][key] = group;
  return { name: key, ...group };
}

export function deleteGroup(rds: Rds, scope: GroupScope, name: string): void {
  ownGroup(rds, scope, name, 'deleted');
  const key = name.toLowerCase();
  const clusters = Object.values(rds.store.value.clusters).filter(({ group }) => group === key);
  if (membersOf(rds, scope, key).length > 0 || (scope === 'cluster' && clusters.length > 0)) {
    throw new QueryFailure(
      'InvalidDBParameterGroupState',
      'One or more database instances are still members of this parameter group, so the group cannot be deleted',
    );
  }
  delete rds.store.value.groups[scope][key];
  delete rds.store.value.tags[arn(rds, scope === 'cluster' ? 'cluster-pg' : 'pg', key)];
}

/** A default group may be used by anybody, and is nobody's. RDS has two codes for that. */
export function ownGroup(
  rds: Rds,
  scope: GroupScope,
  name: string,
  what: 'modified' | 'deleted',
): Group {
  const group = findGroup(rds, scope, name);
  if (name.toLowerCase().startsWith('default.')) {
    throw what === 'modified'
      ? new QueryFailure('InvalidParameterValue', 'Cannot modify a default parameter group.')
      : new QueryFailure(
          'InvalidDBParameterGroupState',
          `Default DBParameterGroup cannot be deleted: ${name}`,
        );
  }
  return group;
}

export function membersOf(rds: Rds, scope: GroupScope, name: string): Instance[] {
  return Object.values(rds.store.value.instances).filter(
    (instance) => attachedGroups(rds, instance)[scope] === name.toLowerCase(),
  );
}
