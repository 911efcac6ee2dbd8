import { CancellationScope } from '@temporalio/workflow';
import { guardBinlog, persistently } from './activities.ts';
import { summarize } from './failures.ts';
import type { Migration } from './migration.ts';
import { located } from './located.ts';
import { milestone } from './migration.ts';

/** Of the estimated load: an estimate is a guess, and converging follows. */
const LOAD_FACTOR = 3;

/**
 * Watches in the background that the source keeps its binlog for as long as it is needed: one activity,
 * which ends only when there is something else to tell. It stops nothing by itself.
 */
export class BinlogGuard {
  #scope: CancellationScope | null = null;
  #ended: Promise<void> = Promise.resolve();

  /** From the starting position to the switch, for sources whose cloud purges the binlog by hours. */
  ensure(migration: Migration): void {
    const { config, state } = migration;
    const isOn = state.provisioning !== null && state.switchedAt === null;
    if (this.#scope !== null || !isOn || config.source.kind === 'mysql') return;
    const scope = new CancellationScope({ cancellable: true });
    this.#scope = scope;
    this.#ended = scope.run(async () => await this.#watch(migration, scope));
  }

  async #watch(migration: Migration, scope: CancellationScope): Promise<void> {
    const { state } = migration;
    try {
      for (;;) {
        const estimate = state.plan?.plan.estimates.loadSeconds ?? 0;
        const etaHours = state.loaded ? 0 : (estimate * LOAD_FACTOR) / 3600;
        const known = state.binlog;
        const watch = await persistently(() =>
          guardBinlog({ config: located(migration), etaHours, known }),
        );
        state.binlog = watch;
        for (const news of [watch.raised, watch.warning]) {
          if (news !== null) milestone(migration, news);
        }
        migration.show();
      }
    } catch (error) {
      const failure = summarize(error);
      if (failure === null && !scope.consideredCancelled) throw error;
      if (failure !== null) milestone(migration, `the binlog is not watched: ${failure.message}`);
    }
  }

  async stop(): Promise<void> {
    this.#scope?.cancel();
    await CancellationScope.nonCancellable(async () => await this.#ended);
    this.#scope = null;
  }
}
