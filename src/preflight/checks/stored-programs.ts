import type { LocatedConfig } from '../../config/located.ts';
import { displayName } from '../../mysql/identifier.ts';
import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';

/** When triggers and events come into being on the target, so that nothing fires twice. */
export const storedProgramsCheck = check(
  'stored-programs',
  'triggers and events are carried at the right moment',
  ({ catalog, config, source, target }) => {
    const enabled = catalog.events.filter(({ status }) => status === 'ENABLED');
    const isTurnedOn =
      target.variable('event_scheduler') === 'ON' ||
      (source.variable('event_scheduler') === 'ON' && mayTurnItOn(config));
    return [
      ...(catalog.triggers.length > 0
        ? [
            {
              severity: 'info' as const,
              object: catalog.triggers.map(({ name }) => displayName(name)).join(', '),
              found:
                'is created after the last change is applied: what triggers wrote on the source is in its binlog',
            },
          ]
        : []),
      ...(catalog.events.length > 0
        ? [
            {
              severity: 'info' as const,
              object: catalog.events.map(({ name }) => displayName(name)).join(', '),
              found: 'is created disabled; what was enabled is enabled after the switch',
            },
          ]
        : []),
      ...(enabled.length > 0 && !isTurnedOn
        ? [
            {
              severity: 'warning' as const,
              object: 'target event_scheduler',
              found: `is ${target.variable('event_scheduler') ?? 'unknown'}: the ${enabled.length} enabled events will not run there`,
              fix: `after the switch ${targetParameterFix(config, 'event_scheduler', 'ON')}`,
            },
          ]
        : []),
    ];
  },
);

/** In Azure the migration itself keeps it off until the switch. */
function mayTurnItOn({ target }: LocatedConfig): boolean {
  return (
    target.kind === 'azure-mysql-flexible' &&
    (target.create !== undefined || target.manage.includes('parameters'))
  );
}
