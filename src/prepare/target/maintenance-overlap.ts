import type { WindowConfig } from '../../config/schema.ts';
import { resolveWindow } from '../../cutover/maintenance-window.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface WeeklyHour {
  /** 0 is Sunday. */
  readonly dayOfWeek: number;
  readonly hour: number;
  readonly minute: number;
}

/**
 * When Azure's maintenance, an hour a week in UTC, may fall into the next cutover window: ISO 8601;
 * null: it does not.
 */
export function maintenanceInWindow(
  maintenance: WeeklyHour,
  window: WindowConfig,
  now: Date,
): string | null {
  const { opensAt, closesAt } = resolveWindow(window, now.toISOString());
  const opens = Date.parse(opensAt);
  const closes = Date.parse(closesAt);
  const midnight = Math.floor(opens / DAY_MS) * DAY_MS;
  for (let day = -1; day * DAY_MS + midnight < closes; day++) {
    const date = midnight + day * DAY_MS;
    if (new Date(date).getUTCDay() !== maintenance.dayOfWeek) continue;
    const begins = date + maintenance.hour * HOUR_MS + maintenance.minute * 60_000;
    if (begins < closes && begins + HOUR_MS > opens) return new Date(begins).toISOString();
  }
  return null;
}
