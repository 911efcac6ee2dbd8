import type { Engine } from '../config/schema.ts';
import { appliedPerSecond } from '../engines/measured-rates.ts';
import type { EngineAssessment } from './assessment.ts';
import { whyNot } from './assessment.ts';

export interface EngineChoice {
  readonly engine: Engine;
  readonly why: string;
}

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
