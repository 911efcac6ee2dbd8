import { createHash } from 'node:crypto';
import { isFailure } from '../../../failures.ts';
import { withConnection } from '../../../mysql/connection.ts';
import { quoteIdentifier } from '../../../mysql/identifier.ts';
import { isAtLeast } from '../../resolver/version.ts';
import type { Account } from '../../servers/accounts.ts';
import { managedAdministrator } from '../../servers/accounts.ts';
import { rdsConfigurationStatements, SUPERUSER } from '../../servers/rds-like-source.ts';
import type { MysqlServerSpec } from '../service.ts';
import type { GroupScope, ParameterDefinition } from './parameters.ts';
import { definitionsOf, isAurora, isGtidStep, resolveValue } from './parameters.ts';
import type { Group, Instance, Rds } from './rds-state.ts';
import { familyOf, findGroup } from './rds-state.ts';

/** The instance's server in the fleet. */
export function serverId({ id }: Instance): string {
  return `rds-${id}`;
}

export function hostName({ context }: Rds, id: string): string {
  const digest = createHash('sha256').update(context.region).digest('hex').slice(0, 11);
  return `${id}.c${digest}.${context.region}.rds.amazonaws.com`;
}

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

/** A new instance's server: RDS's superuser, its procedures, and the master user with RDS's rights. */
export function serverSpec(rds: Rds, instance: Instance): MysqlServerSpec {
  const group = findGroup(rds, 'instance', instance.group);
  const [lowerCase] = [group.values.lower_case_table_names?.value];
  return {
    id: serverId(instance),
    hostName: hostName(rds, instance.id),
    flags: takeForStart(rds, instance),
    lowerCaseTableNames: lowerCase === '1' ? 1 : 0,
    superuser: SUPERUSER,
    accounts: [masterAccount(instance)],
    statements: [
      ...rdsConfigurationStatements,
      ...killStatements,
      ...(instance.cluster === null ? [] : auroraStatements),
      ...(instance.database === null
        ? []
        : [`CREATE DATABASE ${quoteIdentifier(instance.database)}`]),
    ],
  };
}

function masterAccount({ masterUser, masterPassword, cluster }: Instance): Account {
  return {
    user: masterUser,
    password: masterPassword ?? '',
    grants: [
      `GRANT ${managedAdministrator} ON *.* WITH GRANT OPTION`,
      'GRANT APPLICATION_PASSWORD_ADMIN, ROLE_ADMIN, SHOW_ROUTINE, XA_RECOVER_ADMIN ON *.* WITH GRANT OPTION',
      // Aurora's has it, and so writes on under read_only.
      ...(cluster === null ? [] : ['GRANT CONNECTION_ADMIN ON *.* WITH GRANT OPTION']),
    ],
  };
}

/** A privilege of the master user whose name depends on the server's own version. */
export async function grantDefiners({ context }: Rds, instance: Instance): Promise<void> {
  const superuser = context.servers.superuser(serverId(instance));
  await withConnection(superuser, { session: ['SET sql_log_bin = 0'] }, async (connection) => {
    const [row] = await connection.query('SELECT VERSION() AS version');
    const privileges = isAtLeast(String(row?.version), '8.2.0')
      ? 'SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER'
      : 'SET_USER_ID';
    await connection.query(
      `GRANT ${privileges} ON *.* TO '${instance.masterUser}'@'%' WITH GRANT OPTION`,
    );
  });
}

export async function setMasterPassword(
  rds: Rds,
  instance: Instance,
  password: string,
): Promise<void> {
  const superuser = rds.context.servers.superuser(serverId(instance));
  await withConnection(superuser, { session: ['SET sql_log_bin = 0'] }, (connection) =>
    connection.query(`ALTER USER '${instance.masterUser}'@'%' IDENTIFIED BY '${password}'`),
  );
}

const definer = `DEFINER='${SUPERUSER}'@'localhost'`;

/** Nobody may end RDS's own sessions. */
function killProcedure(name: string, parameter: string, kill: string): string {
  return `CREATE ${definer} PROCEDURE mysql.${name}(IN ${parameter} BIGINT)
    READS SQL DATA SQL SECURITY DEFINER
    BEGIN
      IF EXISTS (SELECT 1 FROM information_schema.processlist WHERE id = ${parameter} AND user = '${SUPERUSER}') THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Cannot kill a thread of ${SUPERUSER}';
      END IF;
      ${kill} ${parameter};
    END`;
}

const killStatements = [
  killProcedure('rds_kill', 'in_thread', 'KILL'),
  killProcedure('rds_kill_query', 'in_thread', 'KILL QUERY'),
];

const auroraStatements = [
  `CREATE ${definer} PROCEDURE mysql.rds_set_read_only(IN in_mode TINYINT)
    MODIFIES SQL DATA SQL SECURITY DEFINER
    SET GLOBAL read_only = in_mode`,
];
