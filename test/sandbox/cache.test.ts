import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cached, cacheFolder } from '../../src/sandbox/cache.ts';
import { identify } from '../../src/sandbox/process/identity.ts';
import { lock } from '../../src/sandbox/process/lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('follows XDG, and ignores a relative path there as the specification wants', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/x/skyferry');
  expect(cacheFolder({ XDG_CACHE_HOME: 'x', HOME: '/h' })).toBe('/h/.cache/skyferry');
});

it('makes an entry once, whoever asks at the same time', async () => {
  let made = 0;
  const make = async (staging: string) => {
    made++;
    await sleep(100);
    await writeFile(join(staging, 'file'), 'whole');
  };
  const entries = await Promise.all([1, 2, 3].map(() => cached(folder, 'entry', make)));
  expect(new Set(entries)).toEqual(new Set([join(folder, 'entry')]));
  expect(made).toBe(1);
  expect(await readdir(folder)).toEqual(['entry']);
});

it('leaves nothing of an entry that could not be made', async () => {
  const make = async (staging: string) => {
    await writeFile(join(staging, 'half'), '');
    throw new Error('no network');
  };
  await expect(cached(folder, 'entry', make)).rejects.toThrow('no network');
  expect(await readdir(folder)).toEqual([]);
});

it("removes a dead process's half-made entry", async () => {
  const pid = await deadPid();
  await cached(folder, 'other', async () => {
    await writeFile(join(folder, `.staging-${pid}-abcd`), '');
  });
  await cached(folder, 'entry', async () => {});
  expect((await readdir(folder)).sort()).toEqual(['entry', 'other']);
});

it('takes over the lock of a process that is gone, or whose number belongs to another now', async () => {
  const file = join(folder, 'lock');
  const me = identify(process.pid);
  const stale = [
    JSON.stringify({ pid: await deadPid(), startTime: me?.startTime }),
    JSON.stringify({ pid: process.pid, startTime: 'an earlier boot' }),
    'not JSON',
  ];
  for (const content of stale) {
    await writeFile(file, content);
    await using _ = await lock(file);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(me);
  }
  expect(await readdir(folder)).toEqual([]);
});

it('waits for a living holder and says for whom', async () => {
  const file = join(folder, 'lock');
  const waited: number[] = [];
  const first = await lock(file);
  const second = lock(file, { onWait: (holder) => waited.push(holder) });
  await sleep(300);
  expect(waited).toEqual([process.pid]);
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  await lock(file).then((third) => third[Symbol.asyncDispose]());
});

it('stops waiting when it is told to', async () => {
  const file = join(folder, 'lock');
  await using _ = await lock(file);
  await expect(lock(file, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/i);
});

async function deadPid(): Promise<number> {
  const child = spawn('true');
  await new Promise((resolve) => child.on('exit', resolve));
  return child.pid ?? 0;
}
