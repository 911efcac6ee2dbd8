import { expect, test } from 'vitest';
import { resolveWindow } from '../../src/cutover/maintenance-window.ts';
import type { WindowConfig } from '../../src/config/schema.ts';

const days: WindowConfig['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const at = (from: string, to: string, timeZone: string, on = days): WindowConfig => ({
  days: on,
  from,
  to,
  timeZone,
});

// Berlin: summer time begins 2026-03-29 at 02:00 (01:00Z) and ends 2026-10-25 at 03:00 (01:00Z).
test.for<[string, WindowConfig, string, string, string]>([
  [
    'the next one',
    at('02:00', '04:30', 'Asia/Seoul'),
    '2026-05-05T12:00:00Z',
    '2026-05-05T17:00:00Z',
    '2026-05-05T19:30:00Z',
  ],
  [
    'the one that is open',
    at('02:00', '04:30', 'Asia/Seoul'),
    '2026-05-05T18:00:00Z',
    '2026-05-05T17:00:00Z',
    '2026-05-05T19:30:00Z',
  ],
  [
    'its end is not in it any more',
    at('02:00', '04:30', 'Asia/Seoul'),
    '2026-05-05T19:30:00Z',
    '2026-05-06T17:00:00Z',
    '2026-05-06T19:30:00Z',
  ],
  [
    'over midnight, in its second half, on the weekday on which it began',
    at('23:00', '01:00', 'UTC', ['sat']),
    '2026-05-10T00:30:00Z',
    '2026-05-09T23:00:00Z',
    '2026-05-10T01:00:00Z',
  ],
  [
    'a weekday a week away',
    at('02:00', '03:00', 'UTC', ['mon']),
    '2026-05-04T03:00:00Z',
    '2026-05-11T02:00:00Z',
    '2026-05-11T03:00:00Z',
  ],
  [
    'begins in the hour that is left out: at the change',
    at('02:30', '04:30', 'Europe/Berlin'),
    '2026-03-28T12:00:00Z',
    '2026-03-29T01:00:00Z',
    '2026-03-29T02:30:00Z',
  ],
  [
    'ends in the hour that is left out: at the change',
    at('01:00', '02:30', 'Europe/Berlin'),
    '2026-03-28T12:00:00Z',
    '2026-03-29T00:00:00Z',
    '2026-03-29T01:00:00Z',
  ],
  [
    'left out as a whole: the next day',
    at('02:00', '03:00', 'Europe/Berlin'),
    '2026-03-28T12:00:00Z',
    '2026-03-30T00:00:00Z',
    '2026-03-30T01:00:00Z',
  ],
  [
    'in the hour that occurs twice: the first time',
    at('02:15', '02:45', 'Europe/Berlin'),
    '2026-10-24T12:00:00Z',
    '2026-10-25T00:15:00Z',
    '2026-10-25T00:45:00Z',
  ],
  [
    'over the hour that occurs twice: an hour longer',
    at('01:00', '04:00', 'Europe/Berlin'),
    '2026-10-24T12:00:00Z',
    '2026-10-24T23:00:00Z',
    '2026-10-25T03:00:00Z',
  ],
])('%s', ([, window, now, opensAt, closesAt]) => {
  expect(resolveWindow(window, now)).toEqual({ opensAt, closesAt });
});
