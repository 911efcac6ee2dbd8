import { expect, test } from 'vitest';
import { LagHistory } from '../../src/activities/lag-history.ts';

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000);

test('a year of lag is a few hundred samples, and its peak is in them', () => {
  const history = new LagHistory();
  for (let hour = 0; hour < 365 * 24; hour++)
    history.add(hour === 5_000 ? 90_000 : 5, at(hour * 3600));
  expect(history.samples.length).toBeLessThanOrEqual(300);
  expect(history.samples.length).toBeGreaterThan(100);
  expect(Math.max(...history.samples.map(({ lagMs }) => lagMs))).toBe(90_000);
});

test('the next attempt goes on where the former left off', () => {
  const former = new LagHistory();
  for (let i = 0; i < 1000; i++) former.add(i, at(i));
  const next = new LagHistory(former.samples);
  next.add(7, at(1000));
  next.add(9, at(1000.5));
  expect(next.samples.length).toBeLessThanOrEqual(former.samples.length + 1);
  expect(next.samples[0]).toEqual(former.samples[0]);
});
