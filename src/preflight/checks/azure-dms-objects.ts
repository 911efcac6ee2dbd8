import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** What the service leaves out, and who does it instead. */
export const dmsObjectsCheck = check<SourceSide>(
  'dms-objects',
  'what Azure’s migration service leaves out is carried by Skyferry',
  ({ catalog: { views, routines, triggers, events, tables } }) => {
    const programs = [...views, ...routines, ...triggers, ...events];
    const definers = new Set(programs.map(({ definer }) => definer));
    const counted = [
      [views.length, 'views'],
      [routines.length, 'routines'],
      [triggers.length, 'triggers'],
      [events.length, 'events'],
      [tables.filter(({ autoIncrement }) => autoIncrement !== null).length, 'AUTO_INCREMENT counters'], // prettier-ignore
    ].filter(([count]) => count !== 0);
    return [
      ...(counted.length > 0
        ? [
            {
              severity: 'info' as const,
              object: counted.map((parts) => parts.join(' ')).join(', '),
              found: `is carried by Skyferry: the service moves rows only${definers.size > 0 ? `, and would drop the definers ${[...definers].join(', ')}` : ''}`,
            },
          ]
        : []),
      {
        severity: 'info' as const,
        object: 'definitions of tables',
        found:
          'must not change on the source until the switch: the service is given no definitions to replicate, and a change of one stops it for good',
      },
    ];
  },
);
