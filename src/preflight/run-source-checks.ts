import type { LocatedConfig } from '../config/located.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { sourceChecks, sourceChecksOfEngine } from './checks/index.ts';
import { readServerFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { accepted, tryCatalog } from './run.ts';

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
    const { catalog, findings } = await tryCatalog(onSource, config);
    const facts = {
      config,
      catalog,
      source: await readServerFacts('source', config.source.user, onSource),
      target: { variable: (name: string) => fixed[name] },
      switches: undefined,
      signal,
    };
    const run = async (fenceFacts: Awaited<ReturnType<typeof readServerFacts>> | undefined) => {
      const found = [...findings];
      for (const check of [...sourceChecks, ...sourceChecksOfEngine[config.engine]]) {
        signal.throwIfAborted();
        found.push(...(await check.run({ ...facts, fence: fenceFacts })));
      }
      return found.map((finding) => accepted(finding, config.preflight.accept));
    };
    if (fence === undefined) return await run(undefined);
    return await withConnection(fence, { signal }, async (onFence) =>
      run(await readServerFacts('fence', fence.user, onFence)),
    );
  });
}
