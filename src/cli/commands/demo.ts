import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import pc from 'picocolors';
import type { Engine } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { runDemo } from '../../sandbox/demo/run-demo.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { untilInterrupted } from '../local-logins.ts';
import { note, out } from '../output.ts';
import { renderReport } from './report.ts';

interface DemoFlags {
  scale?: string;
  rate?: string;
  seed: string;
  stateDir: string;
  keep?: boolean;
  clouds?: boolean;
  engine?: Engine;
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('A real migration under live writes on this machine, from nothing to the report')
    .option(
      '--scale <n>',
      'size of the sample database; 1 is about 80,000 rows (default: 2, with --clouds 1)',
    )
    .option(
      '--rate <n>',
      'transactions a second that the application tries (default: 150, with --clouds 80)',
    )
    .option('--seed <n>', 'of the sample rows', '1')
    .option('--clouds', 'from a fake RDS to a fake Azure, with real servers behind them')
    .addOption(
      new Option(
        '--engine <engine>',
        'with --clouds: how rows and changes travel, the worker killed in every phase (default: built-in, the worker killed twice)',
      ).choices(['built-in', 'native', 'azure-dms']),
    )
    .option('--state-dir <dir>', 'where the servers live', '.skyferry/demo')
    .option('--keep', 'leave the sandbox up afterwards')
    .action((flags: DemoFlags) => untilInterrupted((signal) => demo(flags, signal)));
}

async function demo(flags: DemoFlags, signal: AbortSignal): Promise<void> {
  const [{ up }, { reset }] = await Promise.all([
    import('../../sandbox/up.ts'),
    import('../../sandbox/down.ts'),
  ]);
  const { stateDir, engine, clouds = false } = flags;
  if (engine !== undefined && !clouds) {
    throw new SkyferryFailure('CONFIG_INVALID', `--engine ${engine} needs --clouds`);
  }
  const began = Date.now();
  const say = (line: string) =>
    note(`${pc.dim(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s`)}  ${line}`);
  await reset({ stateDir });
  const keep = flags.keep === true;
  const life = keep ? 'detached' : 'bound';
  const servers = clouds ? (['temporal'] as const) : undefined;
  const sandbox = await up({
    stateDir,
    life,
    signal,
    progress: say,
    ...(servers !== undefined && { servers }),
  });
  try {
    say(`Temporal UI: ${sandbox.temporal.uiUrl}`);
    const options = {
      scale: positive(flags.scale ?? (clouds ? '1' : '2'), '--scale'),
      rate: positive(flags.rate ?? (clouds ? '80' : '150'), '--rate'),
      seed: positive(flags.seed, '--seed'),
      signal,
      say,
    };
    const { evidence, files, ok } = clouds
      ? await inClouds(sandbox, life, options, engine)
      : await plain(sandbox, options);
    await writeFile(files.report, await renderReport(evidence, 'html'));
    out(await renderReport(evidence, 'text'));
    out();
    out(`the same as a page: ${files.report}`);
    if (!ok) throw new SkyferryFailure('ROWS_DIFFER', 'the proof failed: see the report above');
    out(
      pc.green(
        '0 differing rows, and the ledger is intact: nothing acknowledged was lost or doubled',
      ),
    );
  } finally {
    if (keep) {
      note(
        `the sandbox stays up: ${sandbox.temporal.uiUrl}; stop it: skyferry dev down --state-dir ${stateDir}`,
      );
    } else {
      await reset({ stateDir });
    }
  }
}

type DemoOptions = Omit<Parameters<typeof runDemo>[1], 'killAt'>;

async function plain(sandbox: Sandbox, options: DemoOptions) {
  const { runDemo: run } = await import('../../sandbox/demo/run-demo.ts');
  return await run(sandbox, { ...options, killAt: Math.random });
}

async function inClouds(
  sandbox: Sandbox,
  life: 'bound' | 'detached',
  options: DemoOptions,
  engine: Engine | undefined,
) {
  const [{ launchClouds }, { layoutOf }, { runCloudsDemo }, { killsOf, twoKills }] =
    await Promise.all([
      import('../../sandbox/clouds/launch.ts'),
      import('../../sandbox/state.ts'),
      import('../../sandbox/demo/clouds/run-clouds-demo.ts'),
      import('../../sandbox/demo/clouds/kills.ts'),
    ]);
  const { signal } = options;
  const clouds = await launchClouds(layoutOf(sandbox.stateDir).clouds, { life, signal });
  options.say(`fake clouds with real servers behind them: ${clouds.url}`);
  return await runCloudsDemo(sandbox, clouds, {
    ...options,
    engine: engine ?? 'built-in',
    kills: engine === undefined ? twoKills() : killsOf(engine),
  });
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new SkyferryFailure('CONFIG_INVALID', `${flag} must be a number above 0`);
}
