import { expect, test } from 'vitest';
import { fixedOffset } from '../../src/mysql/time-zone.ts';

test.each([
  ['UTC', '+00:00'],
  ['Etc/UTC', '+00:00'],
  ['+00:00', '+00:00'],
  ['Asia/Seoul', '+09:00'],
  ['+09:00', '+09:00'],
  ['Europe/Berlin', null],
  ['KST', null],
  ['No/Such', null],
])('%s is %s the whole year', (zone, offset) => {
  expect(fixedOffset(zone, 'UTC')).toBe(offset);
  expect(fixedOffset('SYSTEM', zone)).toBe(offset);
});
