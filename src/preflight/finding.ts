import type { PreflightFacts } from './facts.ts';

export type Severity = 'ok' | 'info' | 'warning' | 'blocker';

/** What a check found: says what is there, and the exact SQL, setting or command that mends it. */
export interface Finding {
  /** Stable, e.g. `binlog-format`: scripts and `preflight.accept` name it. */
  readonly code: string;
  readonly severity: Severity;
  /** The object meant: a variable, table, account or server. */
  readonly object?: string;
  readonly found: string;
  readonly fix?: string;
}

/**
 * One check, one file. It only reads; what it cannot read is a finding, never silence. `F` is what it
 * looks at: a check of the source alone can run before the target is made.
 */
export interface Check<F = PreflightFacts> {
  readonly code: string;
  /** What is being checked, for the progress line. */
  readonly title: string;
  run(facts: F): Finding[] | Promise<Finding[]>;
}

type Outcome = Omit<Finding, 'code'>;

/** A check's findings with its code; none at all means that all is well, which is said too. */
export function check<F = PreflightFacts>(
  code: string,
  title: string,
  run: (facts: F) => Outcome[] | Promise<Outcome[]>,
): Check<F> {
  return {
    code,
    title,
    run: async (facts) => {
      const outcomes = await run(facts);
      const findings: Outcome[] =
        outcomes.length > 0 ? outcomes : [{ severity: 'ok', found: title }];
      return findings.map((outcome) => ({ code, ...outcome }));
    },
  };
}
