import type { LocatedConfig } from '../config/located.ts';
import type { Engine } from '../config/schema.ts';
import type { EngineAssessment } from '../preflight/assessment.ts';
import { describeDmsPrice } from '../prepare/data-migration/prices.ts';
import type { Estimates } from './estimate.ts';

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

export interface EngineChoice {
  readonly engine: Engine;
  readonly why: string;
}

/**
 * Row changes a second, as docs/benchmarks.md has them: source, target and worker on two cores, tables
 * of narrow rows. Azure publishes no rate of its service.
 */
export const appliedPerSecond: Readonly<Record<Engine, number | null>> = {
  'built-in': 67_000,
  native: 13_000,
  'azure-dms': null,
};

/** What `auto` may take, the best first. The service costs money and has to be prepared: never by itself. */
const byPreference = [
  {
    engine: 'built-in',
    why: `it applies about ${ratio()} times as fast as the target's own replication in our benchmarks, and needs no account, setting or service beyond the migration's own`,
  },
  { engine: 'native', why: 'it needs no service, and built-in is not possible' },
] as const satisfies readonly EngineChoice[];

function ratio(): number {
  return Math.round((appliedPerSecond['built-in'] ?? 0) / (appliedPerSecond.native ?? 1));
}

/** null: neither engine that `auto` may take is possible. */
export function chooseEngine(assessments: readonly EngineAssessment[]): EngineChoice | null {
  const possible = new Set(assessments.filter((each) => each.possible).map(({ engine }) => engine));
  return byPreference.find(({ engine }) => possible.has(engine)) ?? null;
}

/** Why `auto` takes none, and what a person can do. */
export function explainNoChoice(assessments: readonly EngineAssessment[]): {
  found: string;
  fix: string;
} {
  const reasons = assessments
    .filter(({ engine }) => byPreference.some((each) => each.engine === engine))
    .map((each) => `${each.engine}: ${whyNot(each).join('; ')}`);
  const dms = assessments.find(({ engine, possible }) => engine === 'azure-dms' && possible);
  return {
    found: `neither built-in nor native is possible (${reasons.join('. ')})${dms === undefined ? '' : '. Only azure-dms is, which auto does not take by itself: its service costs money and is made for the migration'}`,
    fix: `mend what stands in the way${dms === undefined ? '' : ', or set engine: azure-dms'}`,
  };
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

const whyNot = ({ blockers }: EngineAssessment): string[] =>
  blockers.map(({ fix, ...finding }) =>
    fix === undefined ? inWords(finding) : `${inWords(finding)}; fix: ${fix}`,
  );

function inWords({ object, found }: EngineAssessment['warnings'][number]): string {
  return object === undefined ? found : `${object} ${found}`;
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
