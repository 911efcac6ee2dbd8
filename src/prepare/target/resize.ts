import type { ServerForUpdate } from '@azure/arm-mysql-flexible';
import type { FlexibleServer, ServerView } from '../../clouds/azure/flexible-server.ts';
import type { AzureTargetConfig } from '../../config/schema.ts';
import type { Act } from '../act.ts';
import { busyServer, convergingAct, mustFind } from './converge.ts';
import type { TargetInput } from './target.ts';
import {
  AZURE_PORT,
  azureTarget,
  isOurs,
  loadIops,
  loadSku,
  refuseUnmanaged,
  tierOf,
} from './target.ts';
import { waitUntilWarm } from './warm-up.ts';

export interface Size {
  readonly sku: string | undefined;
  readonly iops: number | undefined;
  /** Only ever up. */
  readonly storageGb: number | undefined;
}

export function loadSize(target: AzureTargetConfig, isOwn: boolean): Size {
  // Without a size for the load a server that exists stays as it is until the window.
  return {
    sku: isOwn ? loadSku(target) : target.sku?.load,
    iops: isOwn ? loadIops(target) : target.iops?.load,
    storageGb: isOwn ? target.create?.storageGb : undefined,
  };
}

export function runSize(target: AzureTargetConfig): Size {
  return { sku: target.sku?.run, iops: target.iops?.run, storageGb: undefined };
}

/** What has to be sent; null: it has that size. */
export function sizeChange(server: ServerView, size: Size): ServerForUpdate | null {
  const sku = size.sku !== undefined && size.sku !== server.sku ? size.sku : undefined;
  const iops = size.iops !== undefined && size.iops !== server.iops ? size.iops : undefined;
  const grown =
    size.storageGb !== undefined && size.storageGb > server.storageGb ? size.storageGb : undefined;
  if (sku === undefined && iops === undefined && grown === undefined) return null;
  return {
    ...(sku !== undefined && { sku: { name: sku, tier: tierOf(sku) } }),
    ...((iops !== undefined || grown !== undefined) && {
      storage: {
        storageSizeGB: grown ?? server.storageGb,
        autoGrow: server.autoGrow ? 'Enabled' : 'Disabled',
        ...(iops !== undefined && { iops }),
      },
    }),
  };
}

/** Compute and IOPS in one change: one restart. */
export function resizeAct(input: TargetInput, server: FlexibleServer, when: 'load' | 'run'): Act {
  const target = azureTarget(input.config);
  return convergingAct({
    server,
    look: async (signal) => {
      const found = await mustFind(server, signal);
      const size =
        when === 'load' ? loadSize(target, isOurs(input.config, found)) : runSize(target);
      const change = sizeChange(found, size);
      const busy = busyServer(found);
      if (busy !== null) return busy;
      if (change === null) return { is: 'as-wanted', note: sized(found, when), server: found };
      refuseUnmanaged(input.config, found, 'sku');
      return {
        is: 'to-do',
        step: `change the size to ${describeSize(size)}`,
        operation: () => ({ kind: 'update-server', change }),
      };
    },
    prove: async ({ host }, waiting) =>
      await waitUntilWarm(
        () => input.openTarget({ host, port: AZURE_PORT }, waiting.signal),
        waiting,
      ),
  });
}

export function describeSize({ sku, iops, storageGb }: Size): string {
  const parts = [
    ...(sku === undefined ? [] : [sku]),
    ...(iops === undefined ? [] : [`${iops} IOPS`]),
    ...(storageGb === undefined ? [] : [`${storageGb} GB`]),
  ];
  return parts.join(', ');
}

function sized({ sku, iops }: ServerView, when: 'load' | 'run'): string {
  const size = describeSize({ sku, iops: iops ?? undefined, storageGb: undefined });
  return when === 'load'
    ? `the Azure server has its size for the load: ${size}`
    : `the Azure server has the size it will run with: ${size}`;
}
