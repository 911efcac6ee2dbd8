import type { Command } from 'commander';
import { withConnection } from '../../mysql/connection.ts';
import { readCatalog } from '../../mysql/catalog/read.ts';
import { planLines } from '../../observe/plan-lines.ts';
import { makePlan } from '../../plan/make-plan.ts';
import { planHash } from '../../plan/plan-hash.ts';
import { blockers, runPreflight } from '../../preflight/run.ts';
import { findingsLines } from '../../observe/findings-lines.ts';
import { exitCodes } from '../exit-codes.ts';
import type { LocalOptions } from '../local-logins.ts';
import { localLogins, untilInterrupted, withLocalLogins } from '../local-logins.ts';
import { out, printJson } from '../output.ts';

export function registerPlan(program: Command): void {
  withLocalLogins(
    program.command('plan').description('Show what a migration would do; changes nothing'),
  ).action(async (_options: object, command: Command) => {
    const options = command.optsWithGlobals<LocalOptions>();
    const { config, logins } = await localLogins(options);
    await untilInterrupted(async (signal) => {
      const findings = await runPreflight({ config, ...logins }, { signal });
      const stopping = blockers(findings);
      if (stopping.length > 0) {
        if (options.json === true) {
          printJson({
            status: 'blocked',
            issues: stopping.map(({ found, ...rest }) => ({ ...rest, message: found })),
          });
        } else {
          for (const line of findingsLines(stopping)) out(line);
        }
        process.exitCode = exitCodes.preflightBlocked;
        return;
      }
      const catalog = await withConnection(logins.source, { signal }, (source) =>
        readCatalog(source, config.schemas),
      );
      const plan = makePlan(config, catalog, findings);
      const hash = planHash(plan);
      if (options.json === true) printJson({ status: 'ok', data: { hash, plan } });
      else for (const line of planLines(plan, hash)) out(line);
    });
  });
}
