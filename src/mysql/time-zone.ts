import { Temporal } from 'temporal-polyfill';

/**
 * The offset of a zone whose clocks do not change any more, e.g. `+09:00` of `Asia/Seoul`. Null: they do,
 * or it cannot be said.
 *
 * @param zone `time_zone`
 * @param system `system_time_zone`, which SYSTEM stands for
 */
export function fixedOffset(zone: string, system: string): string | null {
  const meant = zone === 'SYSTEM' ? system : zone;
  if (/^[+-]\d{1,2}:\d\d$/.test(meant)) return meant;
  if (/^(Etc\/)?(UTC|GMT)$/i.test(meant)) return '+00:00';
  // Abbreviations such as KST or CST name no zone for certain.
  if (!meant.includes('/')) return null;
  try {
    const now = Temporal.Now.instant().toZonedDateTimeISO(meant);
    return now.getTimeZoneTransition('next') === null ? now.offset : null;
  } catch {
    return null;
  }
}
