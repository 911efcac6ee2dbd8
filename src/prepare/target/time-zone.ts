import { fixedOffset } from '../../mysql/time-zone.ts';
import type { Finding } from '../../preflight/finding.ts';
import type { SourceFacts } from '../source-facts.ts';

/**
 * What `time_zone` becomes on Azure, where SYSTEM is UTC and names are unknown until somebody loads
 * their tables: a zone whose clocks do not change any more is its offset. Null: it cannot be said.
 */
export function targetTimeZone({ variables }: SourceFacts): string | null {
  const { time_zone: zone = 'SYSTEM', system_time_zone: system = 'UTC' } = variables;
  return fixedOffset(zone, system);
}

export function timeZoneFindings(
  source: SourceFacts | null,
  asked: string | undefined,
): readonly Finding[] {
  if (source === null || asked !== undefined || targetTimeZone(source) !== null) return [];
  const { time_zone: zone = 'SYSTEM', system_time_zone: system = '' } = source.variables;
  return [
    {
      code: 'azure-time-zone',
      severity: 'warning',
      object: 'time_zone',
      found: `is ${zone === 'SYSTEM' ? `${system}, the machine’s,` : zone} on the source; Azure takes an offset, or a name once the tables of names are loaded`,
      fix: 'set target.parameters.time_zone to an offset such as +09:00; for a name CALL mysql.az_load_timezone() on the target first',
    },
  ];
}
