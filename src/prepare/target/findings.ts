import type { ServerView } from '../../clouds/azure/flexible-server.ts';
import type { RegionView } from '../../clouds/azure/region.ts';
import type { AzureTargetConfig, MigrationConfig } from '../../config/schema.ts';
import type { Finding } from '../../preflight/finding.ts';
import type { SourceFacts } from '../source-facts.ts';
import { maintenanceInWindow } from './maintenance-overlap.ts';
import type { Parameters } from './parameter-values.ts';
import { refusedByAzure } from './parameters.ts';
import { azureTarget, isOurs, isStopped, loadIops, loadSku, OWNER_TAG, tierOf } from './target.ts';

type Found = Omit<Finding, 'code' | 'severity'> & { readonly severity?: Finding['severity'] };

function blocker(code: string, found: Found): Finding {
  return { code, severity: 'blocker', ...found };
}

/** Of the server that is there, or of the name that a new one would have. */
export function serverFindings(
  config: MigrationConfig,
  server: ServerView | null,
  taken: string | null,
): Finding[] {
  const target = azureTarget(config);
  const { create } = target;
  const object = `Azure server ${target.server}`;
  if (server === null) {
    if (create === undefined) {
      return [
        blocker('azure-server', {
          object,
          found: 'is not there, and target.create does not say how to make it',
          fix: 'set target.create, or make the server yourself',
        }),
      ];
    }
    return taken === null
      ? []
      : [
          blocker('azure-server-name', {
            object,
            found: `the name is taken somewhere in Azure (${taken})`,
            fix: 'choose another target.server',
          }),
        ];
  }
  const owner = server.tags[OWNER_TAG];
  return [
    ...(create !== undefined && !isOurs(config, server)
      ? [
          blocker('azure-server-name', {
            object,
            found:
              owner === undefined
                ? 'is there already, and this migration did not make it'
                : owner === config.name
                  ? 'is there already, made by an earlier migration of this name that has switched to it'
                  : `is there already, made by the migration ${owner}`,
            fix: 'choose another target.server, or remove target.create to use this one',
          }),
        ]
      : []),
    ...(isStopped(server.state)
      ? [
          blocker('azure-server-state', {
            object,
            found: `is ${server.state}`,
            fix: 'az mysql flexible-server start',
          }),
        ]
      : []),
    ...(server.replicationRole === 'Replica'
      ? [
          blocker('azure-server-state', {
            object,
            found: 'is a read replica: it takes no writes',
            fix: 'stop its replication, or choose another server',
          }),
        ]
      : []),
    ...(create !== undefined && isOurs(config, server) && create.storageGb < server.storageGb
      ? [
          blocker('azure-storage', {
            object,
            found: `has ${server.storageGb} GB, and storage never shrinks to ${create.storageGb} GB`,
            fix: `set target.create.storageGb to ${server.storageGb}`,
          }),
        ]
      : []),
  ];
}

/** What the region cannot give to the size, version and network that the configuration asks for. */
export function regionFindings(
  target: AzureTargetConfig,
  region: RegionView,
  { location, version }: { readonly location: string; readonly version: string },
): Finding[] {
  const { create } = target;
  if (!region.versions.has(version)) {
    return [
      blocker('azure-version', {
        object: `MySQL ${version}`,
        found: `is not offered in ${location}`,
        fix: `choose one of ${[...region.versions].join(', ') || 'another location'}`,
      }),
    ];
  }
  const wanted = new Set([loadSku(target), target.sku?.run].filter((sku) => sku !== undefined));
  const missing = [...wanted].filter((sku) => region.sku(version, sku) === undefined);
  const mode = { disabled: null, 'same-zone': 'SameZone', 'zone-redundant': 'ZoneRedundant' }[
    create?.highAvailability ?? 'disabled'
  ];
  const finalSku = target.sku?.run;
  return [
    ...missing.map((sku) =>
      blocker('azure-sku', {
        object: sku,
        found: `is not offered for MySQL ${version} in ${location}`,
        fix: `choose one of ${region.skus(version).slice(0, 12).join(', ')}`,
      }),
    ),
    ...iopsFindings(target, region, version),
    ...(mode !== null && !region.highAvailability.has(mode)
      ? [
          blocker('azure-high-availability', {
            object: mode,
            found: `is not offered in ${location}`,
            fix: 'set target.create.highAvailability to another mode',
          }),
        ]
      : []),
    ...(mode !== null && finalSku !== undefined && tierOf(finalSku) === 'Burstable'
      ? [
          blocker('azure-high-availability', {
            object: finalSku,
            found: 'burstable sizes have no high availability',
            fix: 'choose a size of the D or E series, or highAvailability: disabled',
          }),
        ]
      : []),
    ...(create !== undefined && region.maxStorageGb > 0 && create.storageGb > region.maxStorageGb
      ? [
          blocker('azure-storage', {
            object: `${create.storageGb} GB`,
            found: `more than ${location} offers, ${region.maxStorageGb} GB`,
            fix: 'set target.create.storageGb lower',
          }),
        ]
      : []),
  ];
}

function iopsFindings(target: AzureTargetConfig, region: RegionView, version: string): Finding[] {
  const pairs = [
    { sku: loadSku(target), iops: loadIops(target) },
    { sku: target.sku?.run, iops: target.iops?.run },
  ];
  return pairs.flatMap(({ sku, iops }) => {
    const most = sku === undefined ? undefined : region.sku(version, sku)?.maxIops;
    if (sku === undefined || most === undefined || iops === undefined || iops <= most) return [];
    return [
      blocker('azure-iops', {
        object: sku,
        found: `takes at most ${most} IOPS, not ${iops}`,
        fix: `set target.iops to ${most} or less, or choose a larger size`,
      }),
    ];
  });
}

/** Whether the data has room, and the source's version a place. */
export function sourceFindings(
  target: AzureTargetConfig,
  source: SourceFacts | null,
  offered: { readonly storageGb: number; readonly version: string },
): Finding[] {
  if (source === null) return [];
  const gb = source.sizeBytes / 2 ** 30;
  const needed = Math.ceil(gb * 1.5) + 5;
  const object = `Azure server ${target.server}`;
  const fix = `at least ${needed} GB (target.create.storageGb for a new server); it can only grow`;
  return [
    ...(gb > offered.storageGb
      ? [
          blocker('azure-storage', {
            object,
            found: `${offered.storageGb} GB hold less than the source’s ${gb.toFixed(1)} GB`,
            fix,
          }),
        ]
      : needed > offered.storageGb
        ? [
            {
              code: 'azure-storage',
              severity: 'warning' as const,
              object,
              found: `${offered.storageGb} GB leave little room for the source’s ${gb.toFixed(1)} GB with its binlogs; a server that is nearly full becomes read-only`,
              fix,
            },
          ]
        : []),
    ...(line(source.version) > line(offered.version)
      ? [
          blocker('azure-version', {
            object: `MySQL ${offered.version}`,
            found: `is older than the source, ${source.version}`,
            fix: 'choose a target version that is not older',
          }),
        ]
      : []),
  ];
}

/** 5.7, 8.0 and 8.4 can be compared with what Azure offers; of others only the servers can tell. */
function line(version: string): number {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  const number = Number(major) * 100 + Number(minor);
  return number > 804 ? 0 : number;
}

/** Two networks that do not go together, and who is let in. */
export function networkFindings(config: MigrationConfig, server: ServerView | null): Finding[] {
  const { firewall, create } = azureTarget(config);
  const isPrivate = server === null ? create?.network.access === 'private' : !server.publicAccess;
  const hasRules = firewall.worker !== undefined || firewall.consumers.length > 0;
  if (isPrivate && hasRules) {
    return [
      blocker('azure-firewall', {
        object: 'target.firewall',
        found: 'a server with private access has no firewall rules',
        fix: 'remove target.firewall; the subnet’s network security group decides',
      }),
    ];
  }
  if (!isPrivate && !hasRules && (server === null || isOurs(config, server))) {
    return [
      {
        code: 'azure-firewall',
        severity: 'warning',
        object: 'target.firewall',
        found: 'lets nobody in: a new server with public access has no rules at all',
        fix: 'set target.firewall.worker, and consumers',
      },
    ];
  }
  const long = [...firewall.consumers].filter(({ name }) => config.name.length + name.length > 108);
  return long.map(({ name }) =>
    blocker('azure-firewall', {
      object: name,
      found: 'makes a rule’s name longer than 128 characters',
      fix: 'choose a shorter name',
    }),
  );
}

export function parameterFindings(target: AzureTargetConfig, listed: Parameters | null): Finding[] {
  if (listed === null) return [];
  return refusedByAzure(target, listed).map(({ name, why }) =>
    blocker('azure-parameter', {
      object: name,
      found: `${target.parameters[name]}: ${why}`,
      fix: 'remove it from target.parameters, or choose another value',
    }),
  );
}

export function maintenanceFindings(
  { cutover }: MigrationConfig,
  server: ServerView | null,
  now: Date,
): Finding[] {
  if (server?.maintenance == null || cutover.window === undefined) return [];
  const at = maintenanceInWindow(server.maintenance, cutover.window, now);
  if (at === null) return [];
  return [
    {
      code: 'azure-maintenance',
      severity: 'warning',
      object: 'maintenance window',
      found: `Azure may restart the server in the hour from ${at}, within the cutover window`,
      fix: 'az mysql flexible-server update --maintenance-window with another day or hour',
    },
  ];
}
