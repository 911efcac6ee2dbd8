import { readCapabilities } from '../../cutover/fence/capabilities.ts';
import { chooseFence } from '../../cutover/fence/choose-fence.ts';
import { describeFence } from '../../cutover/fence/describe-fence.ts';
import type { FenceChoice } from '../../cutover/fence/choose-fence.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** null: no account that could fence is there. */
export async function chosenFence({ fence, config }: SourceSide): Promise<FenceChoice | null> {
  if (fence === undefined) return null;
  return chooseFence(config, await readCapabilities(fence.connection, fence.grants, fence.user));
}

/** What the plan says about the fence: `object` is the kind. */
export const fenceKindCheck = check<SourceSide>(
  'fence-kind',
  'a way of stopping writes is chosen',
  async (facts) => {
    const choice = await chosenFence(facts);
    if (choice === null || choice.refused !== undefined) {
      return [{ severity: 'info' as const, found: 'none is chosen yet: no account may raise one' }];
    }
    return [
      {
        severity: 'info' as const,
        object: choice.kind,
        found: describeFence(choice.kind, facts.config.cutover.applicationAccounts),
      },
    ];
  },
);
