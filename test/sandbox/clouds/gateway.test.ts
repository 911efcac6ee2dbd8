import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';

let clouds: TestClouds;
beforeAll(async () => {
  clouds = await startClouds();
});
afterAll(() => clouds.stop());

test('what no service answers is not found, and is no request of a service', async () => {
  expect((await clouds.fetch('/nothing')).status).toBe(404);
  expect(await clouds.requests()).toEqual([]);
});

test('a fault that does not exist is refused', async () => {
  const rules = [{ match: {}, kind: 'explode' }] as never;
  await expect(clouds.faults(rules)).rejects.toThrow('refused');
});

test('after a restart the same address answers', async () => {
  await clouds.kill();
  await expect(clouds.fetch('/nothing')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await clouds.restart();
  expect((await clouds.fetch('/nothing')).status).toBe(404);
});
