import { resolveWindow as resolve } from '../cutover/maintenance-window.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runBriefly } from './step.ts';

export function resolveWindow({ now }: ActivityDependencies): Activities['resolveWindow'] {
  return async ({ window }) =>
    await runBriefly(async () => {
      const at = now();
      const { opensAt, closesAt } = resolve(window, at.toISOString());
      return {
        opensAt,
        closesAt,
        opensInMs: Date.parse(opensAt) - at.getTime(),
        closesInMs: Date.parse(closesAt) - at.getTime(),
      };
    });
}
