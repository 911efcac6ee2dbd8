import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openEngine } from './engine.ts';
import { listedTables } from './listed-tables.ts';
import { STALLS_AFTER_MS, runStep } from './step.ts';

export function copyTables(deps: ActivityDependencies): Activities['copyTables'] {
  return async ({ config }) =>
    await runStep(
      'copy',
      async ({ signal, report }) => {
        const { engine } = await openEngine(deps, config, signal);
        const { tables, ...copied } = await engine.load({
          signal,
          onProgress: (progress) => report({ copy: progress }),
        });
        const asText = ({ documentsAsText = 0 }) => documentsAsText > 0;
        return { ...copied, tables: listedTables(tables, asText) };
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}
