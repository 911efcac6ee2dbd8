import type { Command } from 'commander';
import pc from 'picocolors';
import { DEFAULT_STATE_DIR } from '../../sandbox/sandbox.ts';
import { out, printJson } from '../output.ts';

interface DevOptions {
  stateDir: string;
  json?: boolean;
  clouds?: boolean;
}

/** The sandbox's modules are imported by the command that is run: the other commands need none of them. */
export function registerDev(program: Command): void {
  const dev = program
    .command('dev')
    .description('A Temporal server, a source and a target on this machine');
  const sub = (name: string, description: string, run: (options: DevOptions) => Promise<void>) =>
    dev
      .command(name)
      .description(description)
      .option('--state-dir <dir>', 'where all of it is kept', DEFAULT_STATE_DIR)
      .action((_options: object, command: Command) => run(command.optsWithGlobals<DevOptions>()));
  sub('up', 'Start what does not run yet', bringUp).option(
    '--clouds',
    'fake RDS, Route 53, Secrets Manager and Azure instead of source and target',
  );
  sub('status', 'Say what runs, and where', showStatus);
  sub('down', 'Stop it, data kept', bringDown);
  sub('reset', 'Stop it and remove its data', bringToNothing);
  sub('doctor', 'Say where the servers come from, and what was tried', diagnosePrograms);
}

async function bringUp({ stateDir, json, clouds }: DevOptions): Promise<void> {
  const { up } = await import('../../sandbox/up.ts');
  const sandbox = await up({ stateDir, ...(clouds === true && { servers: ['temporal'] }) });
  const access = clouds === true ? await bringUpClouds(stateDir) : null;
  if (json === true) {
    const data = { stateDir: sandbox.stateDir, temporal: sandbox.temporal, clouds: access };
    printJson({ status: 'ok', data });
    return;
  }
  await showStatus({ stateDir });
  out();
  out(`export TEMPORAL_ADDRESS=${sandbox.temporal.address}`);
  out(`export SKYFERRY_SECRETS=${sandbox.secretsDir}`);
  for (const [name, value] of Object.entries(access?.env ?? {})) out(`export ${name}=${value}`);
}

async function bringUpClouds(stateDir: string) {
  const [{ launchClouds }, { layoutOf }] = await Promise.all([
    import('../../sandbox/clouds/launch.ts'),
    import('../../sandbox/state.ts'),
  ]);
  return await launchClouds(layoutOf(stateDir).clouds, { life: 'detached' });
}

async function showStatus({ stateDir, json }: DevOptions): Promise<void> {
  const { status } = await import('../../sandbox/status.ts');
  const answer = await status({ stateDir });
  if (json === true) {
    printJson({ status: 'ok', data: answer });
    return;
  }
  out(`${pc.bold(answer.state)}  ${answer.stateDir}`);
  for (const { name, running, pid, address, uiUrl, program } of answer.servers) {
    const mark = running ? pc.green('●') : pc.dim('○');
    const where = uiUrl === undefined ? address : `${address}, UI ${uiUrl}`;
    out(`  ${mark} ${name.padEnd(8)} ${where}  ${pc.dim(`pid ${pid ?? '-'}, ${program}`)}`);
  }
}

async function bringDown({ stateDir, json }: DevOptions): Promise<void> {
  const { down } = await import('../../sandbox/down.ts');
  const stopped = await down({ stateDir });
  if (json === true) printJson({ status: 'ok', data: { stopped } });
  else out(stopped.length === 0 ? 'nothing ran' : `stopped: ${stopped.join(', ')}`);
}

async function bringToNothing({ stateDir, json }: DevOptions): Promise<void> {
  const { reset } = await import('../../sandbox/down.ts');
  await reset({ stateDir });
  if (json === true) printJson({ status: 'ok' });
  else out('stopped, data removed');
}

async function diagnosePrograms({ json }: DevOptions): Promise<void> {
  const { diagnose } = await import('../../sandbox/resolver/diagnose.ts');
  const diagnoses = await diagnose();
  if (json === true) {
    printJson({ status: 'ok', data: diagnoses });
    return;
  }
  for (const { program, candidates } of diagnoses) {
    out(pc.bold(program));
    for (const { provider, outcome, detail, neverRun } of candidates) {
      const remark = neverRun === undefined ? '' : pc.yellow(` (never run: ${neverRun})`);
      out(`  ${outcome.padEnd(12)} ${provider.padEnd(12)} ${detail}${remark}`);
    }
  }
}
