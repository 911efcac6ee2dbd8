import type { LocatedConfig } from '../config/located.ts';
import { withAddresses } from '../config/located.ts';
import type { Engine, MigrationConfig } from '../config/schema.ts';
import { estimate } from '../copy/estimate.ts';
import { isFailure } from '../failures.ts';
import type { ComparedEngines } from '../observe/engine-lines.ts';
import { compareEngines } from '../plan/engines.ts';
import type { EngineAssessment } from '../preflight/assessment.ts';
import { withFindings } from '../preflight/assessment.ts';
import { chooseEngine } from '../preflight/choose-engine.ts';
import { assessSource } from '../preflight/run-source-checks.ts';
import type { LocalLook } from './local-logins.ts';

/** Azure's own, and never changed once a server is there. */
const FIXED_ON_AZURE = { lower_case_table_names: '1' };

/**
 * The engines beside each other where no plan can be made: preflight blocks, or the target is still to be
 * made or prepared. `assessed`: what preflight found, where it could look. null: the source cannot be read.
 */
export async function compareEarly(
  look: LocalLook,
  assessed: readonly EngineAssessment[] | null,
  signal: AbortSignal,
): Promise<ComparedEngines | null> {
  const config = locate(look);
  if (config === null || look.source === null) return null;
  try {
    const { given, source } = look;
    const fixed = given.target.kind === 'mysql' ? {} : FIXED_ON_AZURE;
    const known = await assessSource({ config, source, fixed }, { signal });
    const assessments = withFindings(assessed ?? known.engines, look.clouds?.target.engines);
    const { changesPerSecond, catalog } = known;
    const circumstances = { config, changesPerSecond, estimates: estimate(catalog.tables) };
    const { engine, why } = decide(given.engine, assessments);
    return {
      engine,
      whyEngine: assessed === null ? `${why} (as far as the source alone tells)` : why,
      engines: compareEngines(assessments, circumstances),
    };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return null;
  }
}

function decide(
  written: MigrationConfig['engine'],
  assessments: readonly EngineAssessment[],
): { engine: Engine | null; why: string } {
  if (written !== 'auto') return { engine: written, why: 'as configured' };
  const choice = chooseEngine(assessments);
  return choice === null
    ? { engine: null, why: 'auto finds none that it may take' }
    : { engine: choice.engine, why: `auto takes it: ${choice.why}` };
}

function locate({ given, config, source }: LocalLook): LocatedConfig | null {
  if (config !== null || source === null) return config;
  const host = given.target.kind === 'mysql' ? given.target.host : `${given.target.server}.mysql.database.azure.com`; // prettier-ignore
  return withAddresses(given, { source, target: { host, port: 3306 } });
}
