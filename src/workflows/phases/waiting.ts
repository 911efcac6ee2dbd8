import { condition, sleep } from '@temporalio/workflow';
import type { MigrationConfig, SwitchConfig } from '../../config/schema.ts';
import { durationMs } from '../../config/schema.ts';
import { lowerTtls, persistently, readLag, resolveWindow, watchLag } from '../activities.ts';
import { firstOf } from '../interruption.ts';
import type { Phase } from '../messages.ts';
import type { Migration } from '../migration.ts';
import { located } from '../located.ts';
import { milestone } from '../migration.ts';

/** Until the next opening; a window that is open lets pass at once. */
export async function awaitingWindow(migration: Migration): Promise<Phase> {
  const { config, state } = migration;
  await lowerTheirTtls(migration);
  const { window } = config.cutover;
  if (window === undefined) return 'awaiting-approval';
  const { opensAt, closesAt, opensInMs, closesInMs } = await resolveWindow({ window });
  const closesAtHere = new Date(Date.now() + closesInMs).toISOString();
  state.window = { opensAt, closesAt, open: opensInMs <= 0, closesAtHere };
  migration.show();
  if (opensInMs > 0) {
    const next = await firstOf<Phase>(
      () => lagRose(migration),
      async () => {
        await sleep(opensInMs, { summary: `maintenance window opens at ${opensAt}` });
        return 'awaiting-approval';
      },
    );
    if (next === 'catching-up') return next;
    state.window = { ...state.window, open: true };
  }
  return 'awaiting-approval';
}

export async function awaitingApproval(migration: Migration): Promise<Phase> {
  const { config, state } = migration;
  if (!windowIsOpen(migration)) return 'awaiting-window';
  if (config.cutover.approval.required && state.approval === null) {
    const next = await firstOf<Phase | null>(
      async () => {
        await condition(() => state.approval !== null);
        return null;
      },
      () => lagRose(migration),
      ...(state.window === null ? [] : [() => windowCloses(migration)]),
    );
    if (next !== null) return next;
  }
  await formerTtlsRunOut(migration);
  // The approval may be days old: lag counts as it is now.
  const { lagMs } = await readLag({ config: located(migration) });
  state.lagMs = lagMs;
  if (lagMs > durationMs(config.cutover.lagThreshold)) return 'catching-up';
  // Both may have gone while the lag was read.
  if (!windowIsOpen(migration)) return 'awaiting-window';
  if (config.cutover.approval.required && state.approval === null) return 'awaiting-approval';
  return 'cutting-over';
}

/** Ahead of the fence, so that waiting for the former TTLs to run out is no downtime. */
async function lowerTheirTtls(migration: Migration): Promise<void> {
  const { config, state } = migration;
  if (state.ttls !== null || !hasTtls(config)) return;
  state.ttls = await lowerTtls({ config: located(migration) });
  for (const { consumer, formerTtl } of state.ttls) {
    milestone(migration, `the TTL of ${consumer}'s record is lowered (before: ${formerTtl} s)`);
  }
}

export function hasTtls({ cutover }: Pick<MigrationConfig, 'cutover'>): boolean {
  return cutover.switches.some(isDns);
}

const isDns = ({ kind }: SwitchConfig): boolean => kind !== 'file' && kind !== 'command' && kind !== 'aws-secret'; // prettier-ignore

/** Until then a resolver may still hand out the record with its former TTL. */
async function formerTtlsRunOut({ state }: Migration): Promise<void> {
  const readyAt = Math.max(0, ...(state.ttls ?? []).map((ttl) => Date.parse(ttl.readyAt)));
  const left = readyAt - Date.now();
  if (left > 0) await sleep(left, { summary: 'the former TTLs run out' });
}

async function lagRose(migration: Migration): Promise<Phase> {
  const { state } = migration;
  const { lagMs } = await persistently(() => watchLag({ config: located(migration) }));
  state.lagMs = lagMs;
  milestone(migration, `lag rose to ${(lagMs / 1000).toFixed(1)} s`);
  return 'catching-up';
}

function windowIsOpen({ config, state }: Migration): boolean {
  if (config.cutover.window === undefined) return true;
  if (state.window === null || !state.window.open) return false;
  const open = Date.now() < Date.parse(state.window.closesAtHere);
  state.window = { ...state.window, open };
  return open;
}

async function windowCloses(migration: Migration): Promise<Phase> {
  const { state } = migration;
  if (state.window === null) return 'awaiting-window';
  const { closesAt, closesAtHere } = state.window;
  await sleep(Math.max(0, Date.parse(closesAtHere) - Date.now()), {
    summary: `maintenance window closes at ${closesAt}`,
  });
  state.window = { ...state.window, open: false };
  milestone(migration, 'the maintenance window closed without a cutover');
  return 'awaiting-window';
}
