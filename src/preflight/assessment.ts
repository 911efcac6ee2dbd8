import type { Engine } from '../config/schema.ts';
import { isFailure } from '../failures.ts';
import type { Check, Finding } from './finding.ts';

/** What an engine's own checks say of this very source and target, whether it is in use or not. */
export interface EngineAssessment {
  readonly engine: Engine;
  readonly possible: boolean;
  /** Why it is not possible, each with its fix. */
  readonly blockers: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** What else it does or leaves out. */
  readonly notes: readonly Finding[];
}

/** What was found of an engine elsewhere than on the servers themselves. */
export type FindingsOfEngines = Readonly<Partial<Record<Engine, readonly Finding[]>>>;

/** In the order in which they are shown. */
const engines: readonly Engine[] = ['built-in', 'native', 'azure-dms'];

/** An engine that cannot even be looked at is not possible: that must not stop another one. */
export async function assessEngines<F>(
  checksOf: Readonly<Record<Engine, readonly Check<F>[]>>,
  run: (check: Check<F>) => Promise<readonly Finding[]>,
): Promise<EngineAssessment[]> {
  const assessments: EngineAssessment[] = [];
  for (const engine of engines) {
    const findings: Finding[] = [];
    for (const check of checksOf[engine]) findings.push(...(await lookedAt(check, run)));
    assessments.push(assessment(engine, findings));
  }
  return assessments;
}

async function lookedAt<F>(
  check: Check<F>,
  run: (check: Check<F>) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await run(check);
  } catch (error) {
    if (!isFailure(error) || error.retryable) throw error;
    return [
      {
        code: check.code,
        severity: 'blocker',
        found: `could not be looked at: ${error.message}`,
        ...(error.detail.next !== undefined && { fix: error.detail.next }),
      },
    ];
  }
}

function assessment(engine: Engine, findings: readonly Finding[]): EngineAssessment {
  const of = (...severities: Finding['severity'][]) =>
    findings.filter(({ severity }) => severities.includes(severity));
  const blockers = of('blocker');
  return {
    engine,
    possible: blockers.length === 0,
    blockers,
    warnings: of('warning'),
    notes: of('info', 'ok'),
  };
}

/** `more`: for example what the target's cloud says. */
export function withFindings(
  assessments: readonly EngineAssessment[],
  more: FindingsOfEngines = {},
): EngineAssessment[] {
  return assessments.map((each) => {
    const found = more[each.engine] ?? [];
    return found.length === 0 ? each : assessment(each.engine, [...findingsOf(each), ...found]);
  });
}

/** All that was found of an engine, for the findings of a migration that uses it. */
export function findingsOf({ notes, warnings, blockers }: EngineAssessment): Finding[] {
  return [...notes, ...warnings, ...blockers];
}

/** Each blocker with its fix, as a sentence. */
export function whyNot({ blockers }: EngineAssessment): string[] {
  return blockers.map(({ fix, ...finding }) =>
    fix === undefined ? inWords(finding) : `${inWords(finding)}; fix: ${fix}`,
  );
}

export function inWords({ object, found }: Pick<Finding, 'object' | 'found'>): string {
  return object === undefined ? found : `${object} ${found}`;
}
