import type { Command } from 'commander';
import type { MigrationConfig } from '../../config/schema.ts';
import { readCatalog } from '../../mysql/catalog/read.ts';
import { readChangesPerSecond } from '../../mysql/change-rate.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { ComparedEngines } from '../../observe/engine-lines.ts';
import { engineLines } from '../../observe/engine-lines.ts';
import { findingsLines } from '../../observe/findings-lines.ts';
import { cutoverLines, planLines } from '../../observe/plan-lines.ts';
import { preparationLines } from '../../observe/preparation-lines.ts';
import { makePlan, plannedCutover } from '../../plan/make-plan.ts';
import { planHash } from '../../plan/plan-hash.ts';
import { withFindings } from '../../preflight/assessment.ts';
import type { Finding } from '../../preflight/finding.ts';
import { blockers, runPreflight } from '../../preflight/run.ts';
import { describePlannedPreparation } from '../../workflows/preparation.ts';
import type { CloudPlan } from '../../prepare/act.ts';
import { compareEarly } from '../compare-engines.ts';
import { exitCodes } from '../exit-codes.ts';
import type { LocalLook, LocalOptions } from '../local-logins.ts';
import { lookLocally, untilInterrupted, withLocalLogins } from '../local-logins.ts';
import { note, out, printJson } from '../output.ts';

export function registerPlan(program: Command): void {
  withLocalLogins(
    program.command('plan').description('Show what a migration would do; changes nothing'),
  ).action(async (_options: object, command: Command) => {
    const options = command.optsWithGlobals<LocalOptions>();
    await untilInterrupted(async (signal) => {
      const look = await lookLocally(options, signal);
      const { findings, made, compared } = await draw(look, signal);
      const stopping = blockers(findings);
      if (stopping.length > 0) return showBlockers(stopping, compared, options);
      if (options.json === true) {
        printJson({
          status: 'ok',
          data: { clouds: look.clouds, engines: compared?.engines, ...made },
        });
        return;
      }
      if (look.clouds !== null) showClouds(look.clouds);
      if (made === null) showWhatIsKnown(look.given, findings, compared);
      else for (const line of planLines(made.plan, made.hash, process.stdout.columns)) out(line);
    });
  });
}

/** Of servers that are still to be made or prepared only the clouds' part can be drawn. */
async function draw(look: LocalLook, signal: AbortSignal) {
  const { given, config, logins, clouds } = look;
  const found: Finding[] =
    clouds === null ? [] : [...clouds.source.findings, ...clouds.target.findings];
  if (config === null || logins === null || isUnprepared(clouds)) {
    return { findings: found, made: null, compared: await compareEarly(look, null, signal) };
  }
  const engine = given.engine === 'auto' ? null : given.engine;
  const preflight = await runPreflight({ config, engine, ...logins }, { signal });
  const findings = [...found, ...preflight.findings];
  if (blockers(findings).length > 0) {
    const assessed = preflight.engines.length > 0 ? preflight.engines : null;
    return { findings, made: null, compared: await compareEarly(look, assessed, signal) };
  }
  const [catalog, changesPerSecond] = await withConnection(
    logins.source,
    { signal },
    async (source) => [
      await readCatalog(source, config.schemas),
      await readChangesPerSecond(source),
    ] as const, // prettier-ignore
  );
  const plan = makePlan(config, catalog, findings, {
    assessments: withFindings(preflight.engines, clouds?.target.engines),
    inUse: engine,
    changesPerSecond,
  });
  return { findings, made: { hash: planHash(plan), plan }, compared: null };
}

function isUnprepared(clouds: CloudPlan | null): boolean {
  const acts = clouds === null ? [] : [...clouds.source.acts, ...clouds.target.acts];
  return acts.some(({ when }) => when === 'preparation');
}

function showClouds(clouds: CloudPlan): void {
  for (const line of preparationLines(describePlannedPreparation(clouds), Date.now())) out(line);
  const { differences } = clouds.target;
  if (differences.length > 0) out('Parameters that will differ');
  for (const { parameter, source, target, why } of differences) {
    out(`  ${parameter}: ${source} → ${target}  ${why}`);
  }
  out();
}

/** Tables and checks need servers that are ready; the cutover is as it was written. */
function showWhatIsKnown(
  config: MigrationConfig,
  findings: readonly Finding[],
  compared: ComparedEngines | null,
): void {
  showEngines(compared);
  const { fence } = config.cutover;
  const words = fence === 'auto' ? 'auto: chosen by what the fence account may do' : fence;
  for (const line of cutoverLines(plannedCutover(config, words))) out(line);
  out();
  for (const line of findingsLines(findings)) out(line);
  note('tables, fence and checks of the servers themselves follow once both are ready');
}

function showEngines(compared: ComparedEngines | null): void {
  if (compared === null) return;
  for (const line of engineLines(compared, process.stdout.columns)) out(line);
  out();
}

function showBlockers(
  stopping: readonly Finding[],
  compared: ComparedEngines | null,
  { json }: LocalOptions,
): void {
  if (json === true) {
    printJson({
      status: 'blocked',
      issues: stopping.map(({ found, ...rest }) => ({ ...rest, message: found })),
    });
  } else {
    showEngines(compared);
    for (const line of findingsLines(stopping)) out(line);
  }
  process.exitCode = exitCodes.preflightBlocked;
}
