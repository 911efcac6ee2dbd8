import type { ServerView } from '../../clouds/azure/flexible-server.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import type { FindingsOfEngines } from '../../preflight/assessment.ts';
import type { Finding } from '../../preflight/finding.ts';
import { loadSize, runSize } from './resize.ts';
import { azureTarget, isOurs } from './target.ts';

/** What each engine cannot do with this target, whether it is in use or not. */
export function engineFindings(
  config: MigrationConfig,
  server: ServerView | null,
): FindingsOfEngines {
  return {
    native: server === null ? [] : nativeFindings(config, server),
    'azure-dms': serviceFindings(config, server),
  };
}

/** A migration task does not survive the loss of its connections. */
function serviceFindings(config: MigrationConfig, server: ServerView | null): Finding[] {
  const target = azureTarget(config);
  const isOwn = server === null || isOurs(config, server);
  const loads = loadSize(target, isOwn).sku ?? server?.sku;
  const { sku: runs = loads } = runSize(target);
  if (loads === undefined || runs === loads) return [];
  return [
    {
      code: 'dms-resize',
      severity: 'blocker',
      object: 'target.sku',
      found: `changes from ${loads} to ${runs} before the window: the server restarts, which ends the task of Azure DMS for good`,
      fix: `let it load with the size that it will run with, or set engine: built-in`,
    },
  ];
}

/** What Azure's replication into a server cannot do. */
function nativeFindings(config: MigrationConfig, server: ServerView): Finding[] {
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
