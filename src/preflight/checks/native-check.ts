import type { LocatedConfig } from '../../config/located.ts';
import type { PreflightFacts } from '../facts.ts';
import type { Check, Finding } from '../finding.ts';
import { check } from '../finding.ts';

/** Says nothing at all for another engine. */
export function nativeCheck<F extends { readonly config: LocatedConfig } = PreflightFacts>(
  code: string,
  title: string,
  run: (facts: F) => Omit<Finding, 'code'>[] | Promise<Omit<Finding, 'code'>[]>,
): Check<F> {
  const whenChosen = check(code, title, run);
  return {
    ...whenChosen,
    run: async (facts) => (facts.config.engine === 'native' ? await whenChosen.run(facts) : []),
  };
}
