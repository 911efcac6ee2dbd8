import type { ProgramKind, ProgramName } from './program.ts';
import { Unavailable } from './program.ts';
import type { ResolveOptions } from './resolve.ts';
import { programKinds, resolveContext, waysTo } from './resolve.ts';

export interface Diagnosis {
  readonly program: ProgramName;
  readonly candidates: readonly Candidate[];
}

interface Candidate {
  readonly provider: string;
  /**
   * `wins`: at hand and first; `usable`: at hand, but another comes first; `could-fetch`: tried in
   * this order when nothing is at hand; `unavailable`: not there or refused, `detail` says why.
   */
  readonly outcome: 'wins' | 'usable' | 'could-fetch' | 'unavailable';
  readonly detail: string;
  /** Set on ways that the authors never ran to their end. */
  readonly neverRun?: string;
}

/** Looks at every way to every program, for `skyferry dev doctor`; fetches nothing. */
export function diagnose(options: ResolveOptions = {}): Promise<Diagnosis[]> {
  return Promise.all(Object.values(programKinds).map((kind) => diagnoseProgram(kind, options)));
}

async function diagnoseProgram(kind: ProgramKind, options: ResolveOptions): Promise<Diagnosis> {
  const context = resolveContext(options);
  const candidates: Candidate[] = [];
  let won = false;
  for (const { provider, neverRun, look } of waysTo(kind, context)) {
    const further = neverRun === undefined ? {} : { neverRun };
    try {
      const found = await look();
      if (typeof found === 'string') {
        candidates.push({ provider, outcome: 'could-fetch', detail: found, ...further });
        continue;
      }
      const detail = `${found.name} ${found.version}, ${found.where}`;
      candidates.push({ provider, outcome: won ? 'usable' : 'wins', detail, ...further });
      won = true;
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof Unavailable)) throw error;
      candidates.push({ provider, outcome: 'unavailable', detail: error.message, ...further });
    }
  }
  return { program: kind.name, candidates };
}
