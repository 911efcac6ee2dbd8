import { fixedOffset } from '../../mysql/time-zone.ts';
import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';

/** Skyferry reads and writes in UTC; applications and events use the servers' own zones. */
export const timeZonesCheck = check(
  'time-zones',
  'both servers mean the same time',
  ({ source, target, catalog, config }) => {
    const zone = (server: typeof source) => {
      const set = server.variable('time_zone') ?? 'SYSTEM';
      return set === 'SYSTEM' ? (server.variable('system_time_zone') ?? 'SYSTEM') : set;
    };
    const [before, after] = [zone(source), zone(target)];
    // UTC and +00:00 are one, and so are Asia/Seoul and +09:00.
    const meant = (name: string) => fixedOffset(name, name) ?? name;
    if (meant(before) === meant(after)) return [];
    return [
      {
        severity: 'warning' as const,
        object: 'target time_zone',
        found: `is ${after}, on the source ${before}: NOW() and TIMESTAMP show other local times to applications${
          catalog.events.length > 0 ? ', and events run at other times' : ''
        }`,
        fix: `${targetParameterFix(config, 'time_zone', meant(before))}; named zones need the time zone tables`,
      },
    ];
  },
);
