import type { ServerView } from '../../clouds/azure/flexible-server.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import type { Finding } from '../../preflight/finding.ts';
import { azureTarget } from './target.ts';

/** What Azure's replication into a server cannot do, of a server that is there. */
export function nativeFindings(config: MigrationConfig, server: ServerView | null): Finding[] {
  if (config.engine !== 'native' || server === null) return [];
  const object = `Azure server ${azureTarget(config).server}`;
  const instead = 'or set engine: built-in';
  return [
    ...(server.highAvailability === 'Disabled'
      ? []
      : [
          {
            code: 'native-high-availability',
            severity: 'blocker' as const,
            object,
            found: `has high availability (${server.highAvailability}): Azure replicates into it by GTID only, which would need its GTIDs to be reset`,
            fix: `turn it off until the migration has ended, ${instead}`,
          },
        ]),
    ...(server.publicAccess || server.isInSubnet
      ? []
      : [
          {
            code: 'native-private-endpoint',
            severity: 'blocker' as const,
            object,
            found: 'is reached by a private endpoint alone: Azure does not replicate into it',
            fix: `use a server with public access or in a subnet of its own, ${instead}`,
          },
        ]),
  ];
}
