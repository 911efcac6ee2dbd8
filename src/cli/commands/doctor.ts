import type { Command } from 'commander';
import { findingsLines } from '../../observe/findings-lines.ts';
import { blockers, runPreflight } from '../../preflight/run.ts';
import type { Finding } from '../../preflight/finding.ts';
import { exitCodes } from '../exit-codes.ts';
import type { LocalOptions } from '../local-logins.ts';
import { lookLocally, untilInterrupted, withLocalLogins } from '../local-logins.ts';
import { note, out, printJson } from '../output.ts';

export function registerDoctor(program: Command): void {
  withLocalLogins(
    program.command('doctor').description('Run the preflight checks alone; changes nothing'),
  ).action(async (_options: object, command: Command) => {
    const options = command.optsWithGlobals<LocalOptions>();
    const findings = await untilInterrupted((signal) => examine(options, signal));
    const blocked = blockers(findings).length > 0;
    if (options.json === true) {
      printJson({
        status: blocked ? 'blocked' : 'ok',
        issues: findings.map(({ found, ...rest }) => ({ ...rest, message: found })),
      });
    } else {
      for (const line of findingsLines(findings)) out(line);
    }
    process.exitCode = blocked ? exitCodes.preflightBlocked : exitCodes.ok;
  });
}

/** The clouds first; the servers themselves once both are there and prepared. */
async function examine(options: LocalOptions, signal: AbortSignal): Promise<Finding[]> {
  const { given, config, logins, clouds } = await lookLocally(options, signal);
  const found = clouds === null ? [] : [...clouds.source.findings, ...clouds.target.findings];
  const unprepared = [...(clouds?.source.acts ?? []), ...(clouds?.target.acts ?? [])].filter(
    ({ when }) => when === 'preparation',
  );
  if (config === null || logins === null || unprepared.length > 0) {
    note('the servers are to be prepared first (skyferry plan): their own checks come then');
    return found;
  }
  const onCheck = (title: string) => process.stderr.isTTY && note(`… ${title}`);
  const engine = given.engine === 'auto' ? null : given.engine;
  const { findings } = await runPreflight({ config, engine, ...logins }, { signal, onCheck });
  return [...found, ...findings];
}
