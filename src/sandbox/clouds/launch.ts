import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SkyferryFailure } from '../../failures.ts';
import { IDENTITY_FILE, runningIn, stopIn } from '../process/identity.ts';
import type { Life } from '../process/launch.ts';
import { launch } from '../process/launch.ts';

const START_TIMEOUT_MS = 90_000;
/** Its MySQL servers flush and end first. */
const STOP_GRACE_MS = 45_000;
const POLL_MS = 50;

const readySchema = z.object({
  url: z.string(),
  caFile: z.string(),
  env: z.record(z.string(), z.string()),
});

/** What a process needs to work with the sandbox's clouds instead of the real ones. */
export type CloudsAccess = z.infer<typeof readySchema>;

export interface RunningClouds extends CloudsAccess {
  readonly folder: string;
  stop(): Promise<void>;
}

/** The fake clouds as a process of their own; one that runs in that folder already is left as it is. */
export async function launchClouds(
  folder: string,
  { life, signal }: { life: Life['mode']; signal?: AbortSignal },
): Promise<RunningClouds> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const readyFile = join(folder, 'ready.json');
  if ((await runningIn(folder)) === null) {
    await rm(readyFile, { force: true });
    const optionsFile = join(folder, 'options.json');
    await writeFile(optionsFile, JSON.stringify({ folder, life, readyFile }));
    launch({
      command: [
        process.execPath,
        fileURLToPath(new URL('./main.js', import.meta.url)),
        optionsFile,
      ],
      logFile: join(folder, 'clouds.log'),
      life: { mode: life },
      identityFile: join(folder, IDENTITY_FILE),
    });
  }
  const access = await untilReady(readyFile, folder, signal);
  return { ...access, folder, stop: async () => void (await stopClouds(folder)) };
}

/** True when it ran. */
export async function stopClouds(folder: string): Promise<boolean> {
  return await stopIn(folder, STOP_GRACE_MS);
}

async function untilReady(
  readyFile: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<CloudsAccess> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const text = await readFile(readyFile, 'utf8').catch(() => null);
    if (text !== null) return readySchema.parse(JSON.parse(text));
    if ((await runningIn(folder)) === null || Date.now() > deadline) {
      throw new SkyferryFailure('PROGRAM_MISSING', "the sandbox's clouds did not start", {
        next: `read ${join(folder, 'clouds.log')}`,
      });
    }
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}
