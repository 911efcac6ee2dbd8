import { rehearse } from '../../cutover/fence/rehearse.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';
import { chosenFence } from './fence-kind.ts';

/** For the plan: how long the fence takes depends on who is there, and so does when to raise it. */
export const fenceRehearsalCheck = check<SourceSide>(
  'fence-rehearsal',
  'what the fence would meet now is looked at',
  async (facts) => {
    const { fence, source, config } = facts;
    const choice = await chosenFence(facts);
    if (fence === undefined || choice?.kind === undefined) return [];
    const found = await rehearse(choice.kind, {
      connection: fence.connection,
      schemas: config.schemas,
      own: [fence.user, source.user],
      applicationAccounts: config.cutover.applicationAccounts,
    });
    return [{ severity: 'info' as const, object: choice.kind, found }];
  },
);
