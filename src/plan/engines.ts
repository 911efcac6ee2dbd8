import type { LocatedConfig } from '../config/located.ts';
import type { Engine } from '../config/schema.ts';
import type { Estimates } from '../copy/estimate.ts';
import { appliedPerSecond } from '../engines/measured-rates.ts';
import type { EngineAssessment } from '../preflight/assessment.ts';
import { inWords, whyNot } from '../preflight/assessment.ts';
import { describeDmsPrice } from '../prepare/data-migration/prices.ts';

/** One engine beside the others. What nobody has measured is null, or said in words; nothing is guessed. */
export interface EngineOption {
  readonly engine: Engine;
  readonly possible: boolean;
  /** What stands in its way, each with its fix. */
  readonly whyNot: readonly string[];
  readonly loadSeconds: number | null;
  /** Until what gathers during the load is applied; null: not known, or never at that rate. */
  readonly catchUpSeconds: number | null;
  readonly lag: string;
  readonly downtime: string;
  readonly cost: string;
  readonly risks: readonly string[];
  /** Of its own preflight checks. */
  readonly warnings: readonly string[];
}

interface Circumstances {
  readonly config: Pick<LocatedConfig, 'cutover' | 'schemas' | 'azureDms'>;
  readonly estimates: Estimates;
  /** Row changes a second on the source, by its own counters; null: not known. */
  readonly changesPerSecond: number | null;
}

/** Pure: what each engine would mean for this source and target. */
export function compareEngines(
  assessments: readonly EngineAssessment[],
  circumstances: Circumstances,
): EngineOption[] {
  return assessments.map((assessment) => {
    const { engine, possible, warnings } = assessment;
    return {
      engine,
      possible,
      whyNot: whyNot(assessment),
      // The first two copy with the same code; the service's own pace is not known.
      loadSeconds: engine === 'azure-dms' ? null : circumstances.estimates.loadSeconds,
      catchUpSeconds: catchUpSeconds(engine, circumstances),
      lag: lag(engine, circumstances),
      downtime: downtime(engine, circumstances),
      cost: cost(engine, circumstances),
      risks: risks[engine],
      warnings: warnings.map(inWords),
    };
  });
}

/** At the measured rate, as if everything that gathers during the load were applied by this engine. */
function catchUpSeconds(
  engine: Engine,
  { estimates, changesPerSecond }: Circumstances,
): number | null {
  const applied = appliedPerSecond[engine];
  if (applied === null || changesPerSecond === null || changesPerSecond >= applied) return null;
  return Math.ceil((changesPerSecond * estimates.loadSeconds) / (applied - changesPerSecond));
}

function lag(engine: Engine, { changesPerSecond }: Circumstances): string {
  const applied = appliedPerSecond[engine];
  if (applied === null) return 'not known: Azure publishes no rate';
  if (changesPerSecond === null) return 'not known: the source’s rate of changes could not be read';
  const source = `${rounded(changesPerSecond)} changes/s come, ~${rounded(applied)}/s are applied`;
  return changesPerSecond < applied ? `seconds: ~${source}` : `grows: ~${source}`;
}

function rounded(rate: number): string {
  if (rate >= 1000) return `${Math.round(rate / 1000)}k`;
  return rate >= 10 ? String(Math.round(rate)) : rate.toFixed(1);
}

function downtime(engine: Engine, { config }: Circumstances): string {
  const budget = `at most ${config.cutover.downtimeBudget} before the switch`;
  switch (engine) {
    case 'built-in':
      return `the lag at the fence and the proofs; ${budget}`;
    case 'native':
      return `the same, and replication is removed; ${budget}`;
    case 'azure-dms':
      return `the same, and the service completes ${config.schemas.length === 1 ? 'the database' : `${config.schemas.length} databases one by one`}: not known how long; ${budget}`;
  }
}

function cost(engine: Engine, { config }: Circumstances): string {
  if (engine !== 'azure-dms') return 'nothing beyond both servers and the worker';
  const hours =
    config.azureDms?.keep === true ? 'until somebody removes it' : 'from preparing to the end';
  return `a Premium service, ${hours}, ${describeDmsPrice(config)}`;
}

const risks: Readonly<Record<Engine, readonly string[]>> = {
  'built-in': [
    'changes wait on the source while no worker runs',
    'the target shows batches, not each transaction by itself',
  ],
  native: [
    'the target must reach the source through the network',
    'applies more slowly than built-in',
    'a changed definition is replicated, then parks the migration',
  ],
  'azure-dms': [
    'a task that dies cannot be resumed: the load begins anew',
    'a changed definition stops its task for good',
    'tells no position: what has arrived is seen by its last changed rows',
  ],
};
