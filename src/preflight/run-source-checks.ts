import type { LocatedConfig } from '../config/located.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import { readChangesPerSecond } from '../mysql/change-rate.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { sourceChecks, sourceChecksOfEngine } from './checks/index.ts';
import type { EngineAssessment } from './assessment.ts';
import { assessEngines } from './assessment.ts';
import type { SourceSide } from './facts.ts';
import { readServerFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { accepted, tryCatalog, whatCounts } from './run.ts';

export interface SourceChecksInput {
  readonly config: LocatedConfig;
  readonly source: Endpoint;
  readonly fence: Endpoint | undefined;
  /** What the target's vendor fixes, e.g. `lower_case_table_names`. */
  readonly fixed: Readonly<Record<string, string>>;
}

/** What would stop the migration whatever the target is like: found before anybody pays for one. */
export async function runSourceChecks(
  { config, source, fence, fixed }: SourceChecksInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<Finding[]> {
  return await withConnection(source, { signal }, async (onSource) => {
    const { facts, findings } = await readSourceSide(onSource, config, fixed, signal);
    const run = async (fenceFacts: Awaited<ReturnType<typeof readServerFacts>> | undefined) => {
      const found = [...findings];
      for (const check of [...sourceChecks, ...sourceChecksOfEngine[config.engine]]) {
        signal.throwIfAborted();
        found.push(...whatCounts(await check.run({ ...facts, fence: fenceFacts }), findings));
      }
      return found.map((finding) => accepted(finding, config.preflight.accept));
    };
    if (fence === undefined) return await run(undefined);
    return await withConnection(fence, { signal }, async (onFence) =>
      run(await readServerFacts('fence', fence.user, onFence)),
    );
  });
}

interface SourceAssessment {
  readonly engines: readonly EngineAssessment[];
  readonly catalog: Catalog;
  /** null: not known. */
  readonly changesPerSecond: number | null;
}

/** What can be said of all engines while the target is still to be made. */
export async function assessSource(
  { config, source, fixed }: Omit<SourceChecksInput, 'fence'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<SourceAssessment> {
  return await withConnection(source, { signal }, async (onSource) => {
    const { facts } = await readSourceSide(onSource, config, fixed, signal);
    const side = { ...facts, fence: undefined };
    return {
      engines: await assessEngines(sourceChecksOfEngine, async (check) => await check.run(side)),
      catalog: facts.catalog,
      changesPerSecond: await readChangesPerSecond(onSource),
    };
  });
}

async function readSourceSide(
  onSource: Connection,
  config: LocatedConfig,
  fixed: SourceChecksInput['fixed'],
  signal: AbortSignal,
): Promise<{ facts: Omit<SourceSide, 'fence'>; findings: readonly Finding[] }> {
  const { catalog, findings } = await tryCatalog(onSource, config);
  const facts = {
    config,
    catalog,
    source: await readServerFacts('source', config.source.user, onSource),
    target: { variable: (name: string) => fixed[name] },
    switches: undefined,
    signal,
  };
  return { facts, findings };
}
