import type { ServerView } from '../../clouds/azure/flexible-server.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import type { Finding } from '../../preflight/finding.ts';
import type { PlannedAct } from '../act.ts';
import type { SourceFacts } from '../source-facts.ts';
import type { WantedRule } from './firewall.ts';
import { listRules, workerRules } from './firewall.ts';
import type { Parameters, Values } from './parameter-values.ts';
import { differing, loadValues, setBesidesSize } from './parameters.ts';
import { describePrice, serverPrice } from './prices.ts';
import { describeSize, loadSize, runSize, sizeChange } from './resize.ts';
import { listValues } from './set-parameters.ts';
import type { Permission } from './target.ts';
import {
  azureTarget,
  FINAL_PARAMETERS,
  isOurs,
  loadSku,
  mayChange,
  SOURCE_SCHEDULER,
} from './target.ts';

export interface Seen {
  readonly config: MigrationConfig;
  readonly source: SourceFacts | null;
  /** Null: still to be made. */
  readonly server: ServerView | null;
  readonly listed: Parameters | null;
  readonly missingRules: {
    readonly worker: readonly WantedRule[];
    readonly consumers: readonly WantedRule[];
  };
}

const RESTART = 'the Azure server restarts, 60-120 seconds';

const quiet = {
  interrupts: null,
  costs: null,
  cannotBeUndone: null,
  undo: null,
  needsApproval: false,
} as const;

/** In the order in which they are done. */
export function plannedActs(seen: Seen): PlannedAct[] {
  return [
    ...creation(seen),
    ...openings(seen),
    ...loadSizing(seen),
    ...loadParameters(seen),
    ...beforeWindow(seen),
    ...completion(seen),
  ];
}

/** Changes that the plan needs and that `manage` does not allow. */
export function unmanagedFindings(seen: Seen): Finding[] {
  const { config, server } = seen;
  if (server === null) return [];
  const permissions: Readonly<Record<string, Permission>> = {
    'azure/firewall-worker': 'firewall',
    'azure/firewall-consumers': 'firewall',
    'azure/load-size': 'sku',
    'azure/run-size': 'sku',
    'azure/load-parameters': 'parameters',
  };
  return plannedActs(seen).flatMap(({ name, does }) => {
    const permission = permissions[name];
    if (permission === undefined || mayChange(config, server, permission)) return [];
    return [
      {
        code: 'azure-manage',
        severity: 'blocker',
        object: `target.manage: ${permission}`,
        found: `the server was there before, and this may not be done: ${does}`,
        fix: `add ${permission} to target.manage, or do it yourself`,
      },
    ];
  });
}

function creation({ config, server }: Seen): PlannedAct[] {
  const target = azureTarget(config);
  const { create } = target;
  const sku = loadSku(target);
  if (server !== null && (server.state === 'Ready' || !isOurs(config, server))) return [];
  if (create === undefined || sku === undefined) return [];
  const standby = create.highAvailability === 'zone-redundant';
  const price = serverPrice({ sku, storageGb: create.storageGb, standby }, target);
  return [
    {
      ...quiet,
      name: 'azure/server',
      when: 'preparation',
      does: `create the Azure server ${target.server} in the resource group ${target.resourceGroup}: MySQL ${create.version}, ${sku}, ${create.storageGb} GB, ${create.location}, ${create.network.access} access`,
      costs: `${describePrice(price, target)} from then on`,
      cannotBeUndone: `location ${create.location}, ${create.network.access} access, ${create.geoRedundantBackup ? 'geo-redundant backup' : 'backup without geo-redundancy'}, ${standby ? 'zone-redundant' : 'no zone-redundant'} high availability and lower_case_table_names=1 can never be changed; storage never shrinks`,
      undo: 'removed with --delete-created, otherwise kept',
      needsApproval: true,
    },
  ];
}

function openings({ missingRules: { worker, consumers } }: Seen): PlannedAct[] {
  return [
    ...(worker.length > 0
      ? [
          {
            ...quiet,
            name: 'azure/firewall-worker',
            when: 'preparation' as const,
            does: `let the worker in: ${listRules(worker)}`,
            undo: 'removed, as at the end',
          },
        ]
      : []),
    ...(consumers.length > 0
      ? [
          {
            ...quiet,
            name: 'azure/firewall-consumers',
            when: 'preparation' as const,
            does: `let the consumers in, for good: ${listRules(consumers)}`,
            undo: 'removed',
            former: Object.fromEntries(consumers.map(({ rule }) => [rule, 'none'])),
          },
        ]
      : []),
  ];
}

function loadSizing({ config, server }: Seen): PlannedAct[] {
  if (server === null) return [];
  const target = azureTarget(config);
  const size = loadSize(target, isOurs(config, server));
  const change = sizeChange(server, size);
  if (change === null) return [];
  const standby = server.highAvailability !== 'Disabled';
  const { sku = server.sku, storageGb = server.storageGb } = size;
  return [
    {
      ...quiet,
      name: 'azure/load-size',
      when: 'preparation',
      does: `change the size for the load, from ${describeServer(server)} to ${describeSize(size)}`,
      interrupts: change.sku === undefined ? null : RESTART,
      costs: `${describePrice(serverPrice({ sku, storageGb, standby }, target), target)} until the window`,
      undo: `back to ${describeServer(server)}`,
      former: formerSize(server),
      needsApproval: true,
    },
  ];
}

function loadParameters({ config, source, server, listed }: Seen): PlannedAct[] {
  const target = azureTarget(config);
  const wanted = loadValues({ target, source, listed });
  const isNew = server === null || isOurs(config, server);
  const changed = listed === null ? wanted : differing(wanted, listed);
  const names = Object.keys(changed);
  // Set by somebody before, and not in force yet.
  const pending = Object.keys(wanted).filter(
    (name) => listed?.get(name)?.isPendingRestart === true,
  );
  if (names.length + pending.length === 0) return [];
  const isStatic = (name: string) => listed?.get(name)?.isDynamic === false;
  const restarts = [...new Set([...names.filter(isStatic), ...pending])];
  return [
    {
      ...quiet,
      name: 'azure/load-parameters',
      when: 'preparation',
      does:
        names.length === 0
          ? `restart the server, so that ${pending.join(', ')} take effect`
          : `set parameters as on the source and for the load: ${listValues(changed)}`,
      interrupts: restarts.length > 0 && !isNew ? `${RESTART}, for ${restarts.join(', ')}` : null,
      cannotBeUndone:
        !isNew && 'gtid_mode' in changed
          ? 'gtid_mode=ON: Azure lets nobody turn GTIDs off again'
          : null,
      undo: isNew ? 'goes with the server' : 'former values are put back',
      former: isNew || listed === null ? {} : formerValues(names, listed),
      needsApproval: !isNew && restarts.length > 0,
    },
  ];
}

function beforeWindow({ config, server, listed }: Seen): PlannedAct[] {
  const target = azureTarget(config);
  const { create } = target;
  const size = runSize(target);
  const loads =
    server === null
      ? { sku: loadSku(target), iops: target.iops?.load }
      : loadSize(target, isOurs(config, server));
  const from = { sku: loads.sku ?? server?.sku, iops: loads.iops ?? server?.iops ?? undefined };
  const resizes =
    (size.sku !== undefined && size.sku !== from.sku) ||
    (size.iops !== undefined && size.iops !== from.iops);
  const storageGb = create?.storageGb ?? server?.storageGb ?? 0;
  const standby = (create?.highAvailability ?? 'disabled') !== 'disabled';
  const price = serverPrice({ sku: size.sku ?? from.sku ?? '', storageGb, standby: false }, target);
  const sameZone = create?.highAvailability === 'same-zone';
  return [
    {
      ...quiet,
      name: 'azure/run-parameters',
      when: 'before-window',
      does: 'put back parameters that only make the load faster, and what the size to run with cannot hold',
      ...(server !== null &&
        listed !== null &&
        !isOurs(config, server) && {
          undo: 'former values are put back',
          former: formerValues(setBesidesSize(listed), listed),
        }),
    },
    ...(resizes
      ? [
          {
            ...quiet,
            name: 'azure/run-size',
            when: 'before-window' as const,
            does: `change the size to the one it will run with: ${describeSize(size)}`,
            interrupts:
              size.sku === from.sku
                ? null
                : `${RESTART}; before the window, applying goes on afterwards`,
            costs: `${describePrice(price, target)} from then on`,
            // What it had before the load, where that changed it, is known by `azure/load-size`.
            ...(server !== null &&
              !isOurs(config, server) && {
                undo: `back to ${describeServer(server)}`,
                former: formerSize(server),
              }),
            needsApproval: true,
          },
        ]
      : []),
    ...(sameZone && standby && server?.highAvailability !== 'SameZone'
      ? [
          {
            ...quiet,
            name: 'azure/high-availability',
            when: 'before-window' as const,
            does: 'turn high availability on (same zone)',
            costs: 'a standby of the same price from then on',
            needsApproval: true,
          },
        ]
      : []),
  ];
}

function completion({ config, source, server }: Seen): PlannedAct[] {
  const ran = source?.variables['event_scheduler'] === 'ON';
  const scheduler = ran ? 'turn the event scheduler on' : 'put back event_scheduler';
  const worker = workerRules(config);
  const target = azureTarget(config);
  const isOwn = server === null ? target.create !== undefined : isOurs(config, server);
  return [
    ...(isOwn
      ? [
          {
            ...quiet,
            name: 'azure/hand-over',
            when: 'completion' as const,
            does: `mark ${target.server} as handed over: no migration takes it up or removes it any more`,
          },
        ]
      : []),
    {
      ...quiet,
      name: FINAL_PARAMETERS,
      when: 'completion',
      ...(ran && { former: { [SOURCE_SCHEDULER]: 'ON' } }),
      does: `${scheduler}; put back max_allowed_packet, local_infile and log_bin_trust_function_creators`,
    },
    ...(worker.length > 0
      ? [
          {
            ...quiet,
            name: 'azure/remove-worker-firewall',
            when: 'completion' as const,
            does: `no longer let the worker in: ${listRules(worker)}`,
          },
        ]
      : []),
  ];
}

function formerSize({ sku, iops }: ServerView): Values {
  return { sku, ...(iops !== null && { iops: String(iops) }) };
}

function formerValues(names: readonly string[], listed: Parameters): Values {
  return Object.fromEntries(
    names.flatMap((name) => {
      const parameter = listed.get(name);
      return parameter === undefined ? [] : [[name, parameter.value]];
    }),
  );
}

function describeServer({ sku, iops, storageGb }: ServerView): string {
  return describeSize({ sku, iops: iops ?? undefined, storageGb });
}
