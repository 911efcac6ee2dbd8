import type { Command } from 'commander';
import { findingsLines } from '../../observe/findings-lines.ts';
import { blockers, runPreflight } from '../../preflight/run.ts';
import { exitCodes } from '../exit-codes.ts';
import type { LocalOptions } from '../local-logins.ts';
import { localLogins, untilInterrupted, withLocalLogins } from '../local-logins.ts';
import { note, out, printJson } from '../output.ts';

export function registerDoctor(program: Command): void {
  withLocalLogins(
    program.command('doctor').description('Run the preflight checks alone; changes nothing'),
  ).action(async (_options: object, command: Command) => {
    const options = command.optsWithGlobals<LocalOptions>();
    const { config, logins } = await localLogins(options);
    const findings = await untilInterrupted((signal) =>
      runPreflight(
        { config, ...logins },
        { signal, onCheck: (title) => process.stderr.isTTY && note(`… ${title}`) },
      ),
    );
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
