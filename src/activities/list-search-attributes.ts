import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { log } from '@temporalio/activity';

/** Labels are a convenience: a namespace that does not tell which it has gets none. */
export function listSearchAttributes({
  searchAttributes,
}: ActivityDependencies): Activities['listSearchAttributes'] {
  return async () => {
    try {
      return await searchAttributes();
    } catch (error) {
      log.warn('the search attributes of the namespace cannot be listed', {
        name: error instanceof Error ? error.name : typeof error,
      });
      return [];
    }
  };
}
