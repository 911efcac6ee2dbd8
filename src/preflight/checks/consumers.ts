import { withConnection } from '../../mysql/connection.ts';
import { isFailure } from '../../failures.ts';
import { describeEndpoint } from '../../mysql/endpoint.ts';
import { check } from '../finding.ts';

/** An application that cannot log in to the target would be switched into an outage. */
export const consumersCheck = check(
  'consumers',
  "every consumer's account can log in to the target",
  async ({ config, consumers, signal }) => {
    const outcomes = await Promise.all(
      consumers.map(async ({ consumer, account }) => {
        try {
          await withConnection(account, { signal }, (connection) => connection.query('SELECT 1'));
          return undefined;
        } catch (error) {
          if (!isFailure(error)) throw error;
          return {
            severity: 'warning' as const,
            object: `${consumer}: ${describeEndpoint(account)}`,
            found: `${error.message}; it must by the time of the cutover`,
            ...(error.detail.next !== undefined && { fix: error.detail.next }),
          };
        }
      }),
    );
    const without = config.cutover.switches.filter(({ account }) => account === undefined);
    return [
      ...outcomes.filter((outcome) => outcome !== undefined),
      ...(without.length > 0
        ? [
            {
              severity: 'info' as const,
              object: without.map(({ consumer }) => consumer).join(', '),
              found: 'has no account in the configuration: its login on the target is not tried',
            },
          ]
        : []),
      ...(config.cutover.switches.length === 0
        ? [
            {
              severity: 'warning' as const,
              object: 'cutover.switches',
              found: 'is empty: after the fence nothing moves the applications to the target',
              fix: 'name a switch for each consumer',
            },
          ]
        : []),
    ];
  },
);
