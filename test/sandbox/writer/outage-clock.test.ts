import { expect, test } from 'vitest';
import type { Outage } from '../../../src/sandbox/writer/ledger/records.ts';
import { OutageClock } from '../../../src/sandbox/writer/outage-clock.ts';

function clockAt() {
  const outages: Outage[] = [];
  const time = { now: 1000 };
  const clock = new OutageClock(
    (outage) => outages.push(outage),
    () => time.now,
  );
  return { clock, outages, time };
}

test('an outage lasts from the first failed write to the first acknowledged one', () => {
  const { clock, outages, time } = clockAt();
  clock.acknowledged(990, 'old:1');
  time.now = 1500;
  clock.failed(1400, 'old:1', '1290');
  time.now = 1800;
  clock.failed(1700, 'old:1', 'CONNECTION_LOST');
  expect(clock.isOpen).toBe(true);
  time.now = 2500;
  clock.acknowledged(2400, 'new:1');
  expect(clock.isOpen).toBe(false);
  expect(outages).toEqual([
    {
      from: new Date(1400).toISOString(),
      to: new Date(2500).toISOString(),
      ms: 1100,
      silentMs: 1500,
      failedAt: 'old:1',
      endpoint: 'new:1',
      errors: { '1290': 1, CONNECTION_LOST: 1 },
    },
  ]);
});

test('a write begun before the failure ends nothing when it is acknowledged late', () => {
  const { clock, outages, time } = clockAt();
  clock.failed(900, 'old:1', '1290');
  time.now = 1100;
  clock.acknowledged(950, 'old:1');
  expect(clock.isOpen).toBe(true);
  expect(outages).toEqual([]);
});

test('a straggler that fails after the end is no second outage', () => {
  const { clock, outages, time } = clockAt();
  clock.failed(900, 'old:1', '1290');
  time.now = 2000;
  clock.acknowledged(1900, 'new:1');
  clock.failed(950, 'old:1', '1290');
  expect(clock.isOpen).toBe(false);
  time.now = 3000;
  clock.failed(2500, 'new:1', '1290');
  expect(clock.isOpen).toBe(true);
  expect(outages).toHaveLength(1);
});
