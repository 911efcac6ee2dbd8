import type { EngineAssessment } from './assessment.ts';
import type { Finding, Severity } from './finding.ts';

/** A history takes 2 MB in one piece, and a database may have ten thousand tables without a key. */
const MOST_OF_ONE_CODE = 30;
const LONGEST_TEXT = 1_000;

const first: readonly Severity[] = ['blocker', 'warning', 'info', 'ok'];

/** For histories: of each code some, what stops a migration before the rest. `skyferry doctor` shows all. */
export function bounded(findings: readonly Finding[]): Finding[] {
  return [...new Set(findings.map(({ code }) => code))].flatMap((code) => {
    const found = findings
      .filter((finding) => finding.code === code)
      .sort((a, b) => first.indexOf(a.severity) - first.indexOf(b.severity));
    const [next, ...others] = found.slice(MOST_OF_ONE_CODE);
    return [
      ...found.slice(0, MOST_OF_ONE_CODE).map(shortened),
      ...(next === undefined
        ? []
        : [
            {
              code,
              severity: next.severity,
              found: `and ${others.length + 1} more of this kind: skyferry doctor names them`,
            },
          ]),
    ];
  });
}

export function boundedAssessment(assessment: EngineAssessment): EngineAssessment {
  const { blockers, warnings, notes } = assessment;
  return {
    ...assessment,
    blockers: bounded(blockers),
    warnings: bounded(warnings),
    notes: bounded(notes),
  };
}

function shortened(finding: Finding): Finding {
  const { object, found } = finding;
  return { ...finding, ...(object !== undefined && { object: cut(object) }), found: cut(found) };
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)} …`;
}
