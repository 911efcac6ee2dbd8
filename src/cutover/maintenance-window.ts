import { Temporal } from 'temporal-polyfill';
import type { WindowConfig } from '../config/schema.ts';

/** Instants as ISO 8601 UTC. */
export interface OpenWindow {
  readonly opensAt: string;
  readonly closesAt: string;
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/**
 * The window that is open at `nowIso`, else the next one. Times are the local clock's: a time that a
 * change to summer time leaves out counts as the instant of the change; one that occurs twice counts
 * as its first occurrence. A window that a change swallows whole is passed over.
 */
export function resolveWindow(window: WindowConfig, nowIso: string): OpenWindow {
  const now = Temporal.Instant.from(nowIso);
  const today = now.toZonedDateTimeISO(window.timeZone).toPlainDate();
  const overnight = window.to <= window.from;
  // From yesterday (whose window may reach into today) to the same weekday a week after next.
  for (let days = -1; days <= 15; days++) {
    const date = today.add({ days });
    const weekday = weekdays[date.dayOfWeek - 1];
    if (weekday === undefined || !window.days.includes(weekday)) continue;
    const opens = instantOf(date, window.from, window.timeZone);
    const closes = instantOf(overnight ? date.add({ days: 1 }) : date, window.to, window.timeZone);
    const isEmpty = Temporal.Instant.compare(opens, closes) >= 0;
    if (isEmpty || Temporal.Instant.compare(closes, now) <= 0) continue;
    return { opensAt: opens.toString(), closesAt: closes.toString() };
  }
  throw new RangeError('a window with a weekday opens within two weeks');
}

function instantOf(date: Temporal.PlainDate, time: string, timeZone: string): Temporal.Instant {
  const local = date.toPlainDateTime(Temporal.PlainTime.from(time));
  const first = local.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  const leftOut = !first.toPlainDateTime().equals(local);
  const change = leftOut ? first.getTimeZoneTransition('next') : null;
  return (change ?? first).toInstant();
}
