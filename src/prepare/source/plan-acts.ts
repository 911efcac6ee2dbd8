import type { PlannedAct } from '../act.ts';
import { gtidStages, modeName } from './gtid-stages.ts';
import type { SourceSituation } from './look.ts';
import {
  missingInGroup,
  missingOnServer,
  spellOut,
  valuesFor,
  waitingValues,
} from './plan-group.ts';
import { valueOf } from './server-settings.ts';
import type { RdsSource } from './source.ts';

/** The smallest number of days that turns backups on, and with them the binlog. */
export const BACKUP_DAYS = 1;

const nothing = {
  when: 'preparation',
  interrupts: null,
  costs: null,
  cannotBeUndone: null,
  undo: null,
  needsApproval: false,
} as const;

/** Only what is needed, in the order in which it is done. */
export function planActs(source: RdsSource, situation: SourceSituation): PlannedAct[] {
  return [
    ...backupActs(source, situation),
    ...groupActs(source, situation),
    ...laterStageActs(source, situation),
  ];
}

function backupActs({ server }: RdsSource, { view }: SourceSituation): PlannedAct[] {
  // Aurora keeps backups always; its binlog is a matter of parameters alone.
  if (server.scope === 'cluster' || (view.instance.BackupRetentionPeriod ?? 0) > 0) return [];
  return [
    {
      ...nothing,
      name: 'aws/backup-retention',
      does: `turn on the automated backups of ${server.id} (0 to ${BACKUP_DAYS} day): without them RDS writes no binlog`,
      interrupts: `an outage of ${server.id} of some minutes, at once${appliedWithIt(view.pending)}`,
      costs: 'backups larger than the database are charged by AWS',
      undo: 'stays on: turning it off would be another outage and delete the backups',
      former: { days: '0' },
      needsApproval: true,
    },
  ];
}

/** The group with the formats and the next GTID stage, and the reboot that brings what needs one. */
function groupActs(source: RdsSource, situation: SourceSituation): PlannedAct[] {
  const { server, input } = source;
  const { view, settings, group } = situation;
  const values = valuesFor(gtidStages(settings)[0]);
  const readOnlyFence = input.config.cutover.fence.includes('rds-read-only');
  const differing = missingOnServer(settings, values);
  if (differing.length === 0 && !(readOnlyFence && group.own !== null)) return [];
  const missing = missingInGroup(group.parameters, values);
  const attaches = group.own !== null;
  const isStatic = differing.some((name) => group.parameters.get(name)?.applyType !== 'dynamic');
  const reboots = attaches || isStatic || view.applyStatus === 'pending-reboot';
  return [
    ...(attaches && group.own.state === 'missing' ? [createAct(source, situation, missing)] : []),
    ...((!attaches || group.own.state === 'ours') && missing.length > 0
      ? [
          {
            ...nothing,
            name: 'aws/parameter-group',
            does: `set ${spellOut(missing)} in the parameter group ${group.own?.name ?? group.attached.name}, which no other server uses`,
            undo: 'the former values are said; they are not put back, since the source runs on them',
            former: Object.fromEntries(
              differing.map((name) => [name, valueOf(settings, name)] as const),
            ),
          },
        ]
      : []),
    ...(attaches
      ? [
          {
            ...nothing,
            name: 'aws/attach-parameter-group',
            does: `attach the parameter group ${group.own.name} to ${server.id} instead of ${group.attached.name}; it takes effect with the next reboot, whoever makes it`,
            undo: `says how ${group.attached.name} is attached again: that takes a reboot, so it never happens by itself`,
            former: { group: group.attached.name },
          },
        ]
      : []),
    ...(reboots ? [rebootAct(source, situation, 'aws/reboot', spellOutValues(values))] : []),
  ];
}

function createAct(
  source: RdsSource,
  { group }: SourceSituation,
  missing: Parameters<typeof spellOut>[0],
): PlannedAct {
  const { attached, own } = group;
  const values =
    group.sharedWith.length > 0
      ? `a copy of ${attached.name}, which ${group.sharedWith.join(', ')} also use`
      : `of the family ${attached.family}, with the values of ${attached.name}`;
  const sets = missing.length > 0 ? `, and set ${spellOut(missing)}` : '';
  return {
    ...nothing,
    name: 'aws/parameter-group',
    does: `create the parameter group ${own?.name} for ${source.server.id} alone, ${values}${sets}`,
    undo: 'removed with --delete-created once it is attached to nothing',
  };
}

/** One GTID step at a time: each has to be in force before the next may be asked for. */
function laterStageActs(source: RdsSource, situation: SourceSituation): PlannedAct[] {
  const { group, settings } = situation;
  return gtidStages(settings)
    .slice(1)
    .flatMap((stage) => {
      const name = modeName(stage.gtidMode);
      const values = spellOutValues({
        gtid_mode: stage.gtidMode,
        enforce_gtid_consistency: stage.consistency,
      });
      const reboots = ['gtid_mode', 'enforce_gtid_consistency'].some(
        (variable) => group.parameters.get(variable)?.applyType !== 'dynamic',
      );
      return [
        {
          ...nothing,
          name: `aws/gtid-mode/${name}`,
          does: `set ${values} in the parameter group ${group.own?.name ?? group.attached.name}`,
          undo: 'stays: replicas and backups may rely on it by then',
        },
        ...(reboots ? [rebootAct(source, situation, `aws/reboot/${name}`, values)] : []),
      ];
    });
}

function rebootAct(
  { server }: RdsSource,
  { view, settings, group }: SourceSituation,
  name: string,
  values: string,
): PlannedAct {
  const id = view.instance.DBInstanceIdentifier ?? server.id;
  const waiting = group.own === null ? waitingValues(group.parameters, settings) : [];
  const others = waiting.length > 0 ? `; waiting for it already: ${spellOut(waiting)}` : '';
  return {
    ...nothing,
    name,
    does: `reboot ${id}, so that ${values} take effect${others}`,
    interrupts: `${id} is away for 1-2 minutes and every connection to it ends${appliedWithIt(view.pending)}`,
    needsApproval: true,
  };
}

function appliedWithIt(pending: readonly string[]): string {
  return pending.length === 0
    ? ''
    : `; what is queued may be applied along with it: ${pending.join(', ')}`;
}

function spellOutValues(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
