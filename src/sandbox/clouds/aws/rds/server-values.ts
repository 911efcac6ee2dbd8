import { createHash } from 'node:crypto';
import { isFailure } from '../../../../failures.ts';
import { withConnection } from '../../../../mysql/connection.ts';
import type { GroupScope, ParameterDefinition } from './parameters.ts';
import { definitionsOf, isAurora, isGtidStep, resolveValue } from './parameters.ts';
import { serverId } from './server.ts';
import type { Group, Instance, Rds } from './state.ts';
import { familyOf, findGroup } from './state.ts';

interface Desired {
  readonly definition: ParameterDefinition;
  readonly scope: GroupScope;
  /** For mysqld; null: its own default. */
  readonly value: string | null;
  readonly method: 'immediate' | 'pending-reboot';
}

/** What the groups that are attached now say of each parameter. */
function desiredValues(rds: Rds, instance: Instance): Desired[] {
  const family = familyOf(instance.engine, instance.version);
  const attached = attachedGroups(rds, instance);
  const scopes: GroupScope[] = isAurora(family) ? ['instance', 'cluster'] : ['instance'];
  return scopes.flatMap((scope) => {
    const group = findGroup(rds, scope, attached[scope]);
    return definitionsOf(family, scope).map((definition) => ({
      definition,
      scope,
      ...valueIn(group, definition),
    }));
  });
}

function valueIn(group: Group, { name, value, engineValue }: ParameterDefinition) {
  const set = group.values[name];
  return {
    value: resolveValue(set?.value ?? value, false) ?? engineValue,
    method: set?.method ?? ('immediate' as const),
  };
}

export function attachedGroups({ store }: Rds, instance: Instance): Record<GroupScope, string> {
  const cluster = instance.cluster === null ? undefined : store.value.clusters[instance.cluster];
  return { instance: instance.group, cluster: cluster?.group ?? '' };
}

/** As in `ParameterApplyStatus` and `DBClusterParameterGroupStatus`. */
export function applyStatus(rds: Rds, instance: Instance, scope: GroupScope): string {
  if (instance.applying) return 'applying';
  if (attachedGroups(rds, instance)[scope] !== instance.appliedGroups[scope]) {
    return 'pending-reboot';
  }
  const differs = desiredValues(rds, instance).some(
    (desired) => desired.scope === scope && isUnapplied(instance, desired),
  );
  return differs ? 'pending-reboot' : 'in-sync';
}

function isUnapplied({ applied }: Instance, { definition, value }: Desired): boolean {
  return definition.variable !== null && (applied[definition.name] ?? null) !== value;
}

/**
 * The flags of the server's next start, which brings everything that waited for a reboot. A GTID mode
 * that is more than one step away is not taken: the former one stays, and the reboot stays pending.
 */
export function takeForStart(rds: Rds, instance: Instance): string[] {
  const former = instance.applied['gtid-mode'];
  const applied: Record<string, string> = {};
  for (const { definition, value } of desiredValues(rds, instance)) {
    if (definition.variable === null || value === null) continue;
    const jumps =
      definition.name === 'gtid-mode' && former !== undefined && !isGtidStep(former, value);
    applied[definition.name] = jumps ? former : value;
  }
  instance.applied = applied;
  instance.appliedGroups = attachedGroups(rds, instance);
  const { binlog_format: format, ...others } = applied;
  const logs = instance.retention > 0 && format !== 'OFF';
  const flags = Object.entries(logs && format !== undefined ? applied : others);
  const number = Number.parseInt(
    createHash('sha256').update(instance.id).digest('hex').slice(0, 7),
    16,
  );
  return [
    `--server-id=${number + 1}`,
    logs ? '--log-bin=mysql-bin-changelog' : '--skip-log-bin',
    '--innodb-redo-log-capacity=256M',
    // 8.x knows no such flag, and behaves as it says.
    '--loose-innodb-native-foreign-keys=ON',
    ...flags.map(([name, value]) => `--${flagOf(name)}=${value}`),
  ];
}

function flagOf(name: string): string {
  return name === 'time_zone' ? 'default-time-zone' : name.replaceAll('_', '-');
}

/** Sets dynamic parameters on the running server, those of a group that waits for a reboot excepted. */
export async function applyDynamic(rds: Rds, instance: Instance): Promise<void> {
  const attached = attachedGroups(rds, instance);
  const changes = desiredValues(rds, instance).filter(
    (desired) =>
      desired.definition.applyType === 'dynamic' &&
      desired.method === 'immediate' &&
      attached[desired.scope] === instance.appliedGroups[desired.scope] &&
      isUnapplied(instance, desired),
  );
  await setVariables(rds, instance, changes);
}

/** After the sandbox was restarted: its servers have the flags of their last start, not what was set since. */
export async function applyAgain(rds: Rds, instance: Instance): Promise<void> {
  const dynamic = desiredValues(rds, instance)
    .filter(({ definition }) => definition.applyType === 'dynamic')
    .map(({ definition }) => ({ definition, value: instance.applied[definition.name] ?? null }))
    .filter(({ value }) => value !== null);
  await setVariables(rds, instance, dynamic);
}

async function setVariables(
  { context }: Rds,
  instance: Instance,
  changes: readonly Pick<Desired, 'definition' | 'value'>[],
): Promise<void> {
  if (changes.length === 0) return;
  await withConnection(context.servers.superuser(serverId(instance)), {}, async (connection) => {
    for (const { definition, value } of changes) {
      const { name, variable } = definition;
      if (variable === null) continue;
      try {
        await connection.query(
          `SET GLOBAL ${variable} = ${value === null ? 'DEFAULT' : literal(value)}`,
        );
      } catch (error) {
        // The server refuses this value: the parameter stays unapplied, as its status says.
        if (!isFailure(error)) throw error;
        continue;
      }
      if (value === null) delete instance.applied[name];
      else instance.applied[name] = value;
    }
  });
}

function literal(value: string): string {
  return /^\d+(\.\d+)?$/.test(value) ? value : `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
