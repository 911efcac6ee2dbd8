import { CancellationScope } from '@temporalio/workflow';
import type { Engine, MigrationConfig } from '../config/schema.ts';
import { applyChanges, persistently } from './activities.ts';
import { engineInUse } from './engine-in-use.ts';
import type { FailureSummary } from './failures.ts';
import { summarize } from './failures.ts';
import { located } from './located.ts';
import type { State } from './state.ts';

/**
 * The change capture in the background: one activity from the end of the full load to the end of the
 * cutover, through every waiting phase. Its failure is recorded; the machine parks on it.
 */
export class Applier {
  readonly #config: MigrationConfig;
  readonly #state: State;
  #scope: CancellationScope | null = null;
  #ended: Promise<void> = Promise.resolve();
  /** The one that runs, or ran last. */
  #engine: Engine | null = null;

  constructor(config: MigrationConfig, state: State) {
    this.#config = config;
    this.#state = state;
  }

  /** Runs unless it already does, has nothing to do, or failed and nobody said retry-phase. */
  ensure(): void {
    const { loaded, applierFailure, switchedAt } = this.#state;
    if (this.#scope !== null || !loaded || applierFailure !== null || switchedAt !== null) return;
    const scope = new CancellationScope({ cancellable: true });
    this.#scope = scope;
    this.#engine = engineInUse(this.#config, this.#state);
    this.#ended = scope.run(async () => await this.#apply(scope));
  }

  async #apply(scope: CancellationScope): Promise<void> {
    const failure = await persistently(() =>
      applyChanges({ config: located({ config: this.#config, state: this.#state }) }),
    ).then(() => null, summarize);
    this.#scope = null;
    // What a stopped activity says on its way out is no reason to park.
    if (!scope.consideredCancelled) this.#state.applierFailure = failure ?? ended;
  }

  /** So that `ensure` begins with the engine that a person has chosen since. */
  async stopFormerEngine(): Promise<void> {
    if (this.#scope !== null && this.#engine !== engineInUse(this.#config, this.#state)) {
      await this.stop();
    }
  }

  /** Returns when the activity has let go of the target. */
  async stop(): Promise<void> {
    this.#scope?.cancel();
    await CancellationScope.nonCancellable(async () => await this.#ended);
  }
}

const ended: FailureSummary = {
  code: 'INTERNAL',
  message: 'the change capture ended although nobody had stopped it',
};
