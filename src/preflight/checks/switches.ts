import { isFailure } from '../../failures.ts';
import { check } from '../finding.ts';

/** A switch that refuses is better met days before the fence than seconds after it. */
export const switchesCheck = check(
  'switches',
  'every switch finds its endpoint as the configuration says',
  async ({ config, switches, signal }) => {
    if (config.cutover.switches.length === 0) return [];
    if (switches === undefined) {
      return [
        {
          severity: 'info' as const,
          object: config.cutover.switches.map(({ consumer }) => consumer).join(', '),
          found: 'is not tried here: only a worker may switch endpoints',
        },
      ];
    }
    const outcomes = await Promise.all(
      switches.map(async (each) => {
        try {
          await each.precondition(signal);
          return undefined;
        } catch (error) {
          signal.throwIfAborted();
          if (!isFailure(error)) throw error;
          return {
            severity: 'warning' as const,
            object: each.consumer,
            found: `${error.message}; the cutover refuses to begin as long as that holds`,
            ...(error.detail.next !== undefined && { fix: error.detail.next }),
          };
        }
      }),
    );
    return outcomes.filter((outcome) => outcome !== undefined);
  },
);
