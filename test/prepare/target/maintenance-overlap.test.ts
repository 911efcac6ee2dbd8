import { expect, test } from 'vitest';
import { maintenanceInWindow } from '../../../src/prepare/target/maintenance-overlap.ts';

// A Monday.
const now = new Date('2026-03-02T12:00:00Z');
const window = { days: ['sun' as const], from: '23:30', to: '02:00', timeZone: 'Asia/Seoul' };

test('maintenance is compared as instants: the window’s Sunday night in Seoul is Sunday afternoon in UTC', () => {
  const sunday = { dayOfWeek: 0, hour: 16, minute: 30 };
  expect(maintenanceInWindow(sunday, window, now)).toBe('2026-03-08T16:30:00.000Z');
  expect(maintenanceInWindow({ ...sunday, hour: 17 }, window, now)).toBeNull();
  expect(maintenanceInWindow({ ...sunday, dayOfWeek: 1 }, window, now)).toBeNull();
});

test('an hour that begins before the window may reach into it', () => {
  expect(maintenanceInWindow({ dayOfWeek: 0, hour: 14, minute: 0 }, window, now)).toBe(
    '2026-03-08T14:00:00.000Z',
  );
  expect(maintenanceInWindow({ dayOfWeek: 0, hour: 13, minute: 30 }, window, now)).toBeNull();
});
