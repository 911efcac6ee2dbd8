import { displayName } from '../../mysql/identifier.ts';
import { check } from '../finding.ts';

/** Without the right to set any definer, programs and views get the migration's own account. */
export const definersCheck = check(
  'definers',
  'definers can be kept',
  async ({ catalog, target }) => {
    const mayKeep = target.grants.global('SET_ANY_DEFINER') || target.grants.global('SET_USER_ID');
    const byDefiner = new Map<string, string[]>();
    for (const { definer, name } of [
      ...catalog.views,
      ...catalog.routines,
      ...catalog.triggers,
      ...catalog.events,
    ]) {
      byDefiner.set(definer, [...(byDefiner.get(definer) ?? []), displayName(name)]);
    }
    return [...byDefiner].map(([definer, objects]) => ({
      severity: mayKeep ? ('info' as const) : ('warning' as const),
      object: objects.join(', '),
      found: mayKeep
        ? `is defined by ${definer}, kept where the target allows it`
        : `is defined by ${definer}; the target account may not set definers, so it becomes ${target.user}'s and runs with its rights`,
      ...(!mayKeep && {
        fix: `GRANT SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER ON *.* TO ${target.account}; where the service allows it (8.0: SET_USER_ID); else create the account and redefine the objects after the switch`,
      }),
    }));
  },
);
