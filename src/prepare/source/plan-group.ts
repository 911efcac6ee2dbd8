import type { GroupParameter } from '../../clouds/aws/parameter-groups.ts';
import type { GtidStage } from './gtid-stages.ts';
import { gtidStages } from './gtid-stages.ts';
import type { ServerSettings } from './server-settings.ts';
import { valueOf } from './server-settings.ts';

/** Values as the server spells them, by variable. */
export type Values = Readonly<Record<string, string>>;

const formats: Values = { binlog_format: 'ROW', binlog_row_image: 'FULL' };

/** What the group has to say for the next stage; the formats along with it. */
export function valuesFor(stage: GtidStage | undefined): Values {
  if (stage === undefined) return formats;
  return {
    ...formats,
    gtid_mode: stage.gtidMode,
    enforce_gtid_consistency: stage.consistency,
  };
}

/** The values that the server needs next: all of them in the end, one GTID step from what it has. */
export function nextValues(settings: ServerSettings): Values {
  return valuesFor(gtidStages(settings)[0]);
}

/** Which of these values the server does not have. */
export function missingOnServer(settings: ServerSettings, values: Values): string[] {
  return Object.keys(values).filter((name) => valueOf(settings, name) !== values[name]);
}

/** Which of these values the group does not say. A variable that the family does not know is its default. */
export function missingInGroup(
  parameters: ReadonlyMap<string, GroupParameter>,
  values: Values,
): (GroupParameter & { readonly value: string })[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const parameter = parameters.get(name);
    if (parameter === undefined || parameter.value?.toUpperCase() === value) return [];
    // RDS lists `full` where the server says FULL.
    return [{ ...parameter, value: name === 'binlog_row_image' ? value.toLowerCase() : value }];
  });
}

/** Values that the group says and the server has not: they wait for a reboot, or are on their way. */
export function waitingValues(
  parameters: ReadonlyMap<string, GroupParameter>,
  settings: ServerSettings,
): GroupParameter[] {
  return [...parameters].flatMap(([variable, parameter]) => {
    const { value } = parameter;
    // Only what is set is compared: an engine's own default is not spelled out.
    if (value === null || value.toUpperCase() === valueOf(settings, variable)) return [];
    return [parameter];
  });
}

export function spellOut(values: readonly Pick<GroupParameter, 'name' | 'value'>[]): string {
  return values.map(({ name, value }) => `${name}=${value}`).join(', ');
}
