import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { launchClouds as LaunchClouds } from '../../src/sandbox/clouds/launch.ts';
import type { runCloudsDemo as RunCloudsDemo } from '../../src/sandbox/demo/clouds/run-clouds-demo.ts';
import { killsOf } from '../../src/sandbox/demo/clouds/kills.ts';
import { reset } from '../../src/sandbox/down.ts';
import { layoutOf } from '../../src/sandbox/state.ts';
import { up } from '../../src/sandbox/up.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const stateDir of folders.splice(0)) {
    await reset({ stateDir });
    await rm(stateDir, { recursive: true, force: true });
  }
});

/** Programs and clouds are started from the built tree. */
const built = (path: string) => import(new URL(`../../dist/${path}`, import.meta.url).href);

test.each(['built-in', 'native', 'azure-dms'] as const)(
  'from the fake RDS to the fake Azure by %s, the worker killed in every phase that works',
  async (engine) => {
    const stateDir = await mkdtemp(join(tmpdir(), 'skyferry-soak-'));
    folders.push(stateDir);
    const { signal } = new AbortController();
    const sandbox = await up({
      stateDir,
      life: 'bound',
      signal,
      progress: () => {},
      servers: ['temporal'],
    });
    const { launchClouds } = (await built('sandbox/clouds/launch.js')) as {
      launchClouds: typeof LaunchClouds;
    };
    const clouds = await launchClouds(layoutOf(stateDir).clouds, { life: 'bound', signal });
    const { runCloudsDemo } = (await built('sandbox/demo/clouds/run-clouds-demo.js')) as {
      runCloudsDemo: typeof RunCloudsDemo;
    };
    const { ok, evidence, kills } = await runCloudsDemo(sandbox, clouds, {
      engine,
      scale: 0.5,
      rate: 60,
      seed: 7,
      signal,
      kills: killsOf(engine),
      say: () => {},
    });
    expect(evidence.report.verification).toMatchObject({ equal: true, differing: 0 });
    expect(evidence.report.plan?.plan.engine).toBe(engine);
    expect(evidence.application).toMatchObject({ ok: true });
    expect(kills.filter(({ met }) => met === null).map(({ activity }) => activity)).toEqual([]);
    expect(ok).toBe(true);
  },
  // A dozen kills, each of which Temporal notices after seconds.
  900_000,
);
