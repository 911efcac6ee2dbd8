import type { LocatedConfig } from '../../config/located.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

const instead = 'engine: built-in needs no service';
/** What the vendor names: 5.6 up to 8.0 as sources of an online migration. */
const NEWEST_NAMED = 80_100;

/** What Azure's service asks of both ends before anything else; it is made, or found, by the preparation. */
export const dmsServiceCheck = check<SourceSide>(
  'dms-service',
  'Azure’s migration service can be used between these servers',
  ({ config, source }) => [
    ...refusals(config),
    ...(source.version.number >= NEWEST_NAMED
      ? [
          {
            severity: 'warning' as const,
            object: `source ${source.version.text}`,
            found: 'is newer than the versions that Azure names as sources (5.6 to 8.0)',
            fix: `try it on a copy first; ${instead}`,
          },
        ]
      : []),
    ...(config.source.kind === 'mysql'
      ? []
      : [
          {
            severity: 'info' as const,
            object: `source ${config.source.host}`,
            found:
              'allows no lock on all tables: the service locks them one by one when it begins, which waits for long transactions',
          },
        ]),
    {
      severity: 'info' as const,
      object: 'service',
      found:
        'only the Premium tier with 4 vCores follows changes; it reaches both servers from the subnet of azureDms.subnet, and that it does shows when it connects',
    },
  ],
);

function refusals(config: LocatedConfig) {
  const { source, target, azureDms } = config;
  const blocker = (object: string, found: string, fix: string) => ({
    severity: 'blocker' as const,
    object,
    found,
    fix,
  });
  return [
    ...(target.kind === 'azure-mysql-flexible'
      ? []
      : [
          blocker(
            'target.kind',
            `is ${target.kind}: the service fills flexible servers of Azure only`,
            `set target.kind: azure-mysql-flexible; ${instead}`,
          ),
        ]),
    ...(azureDms === undefined
      ? [
          blocker(
            'azureDms',
            'is not set: the service must stand in a subnet that reaches both servers',
            'set azureDms.subnet to the resource id of such a subnet',
          ),
        ]
      : []),
    ...(source.kind !== 'mysql' && source.authentication === 'iam'
      ? [
          blocker(
            'source.authentication',
            'is iam: the service logs in by itself, for longer than a token holds',
            'set source.authentication: password',
          ),
        ]
      : []),
  ];
}
