import type { Engine, MigrationConfig } from '../config/schema.ts';
import type { Phase, SwitchEngine } from './messages.ts';
import type { State } from './state.ts';

/** null: `auto`, and not planned yet. */
export function engineInUse({ engine }: MigrationConfig, state: State): Engine | null {
  if (state.engine !== null) return state.engine;
  return engine === 'auto' ? null : engine;
}

/** Why the engine cannot be switched now; null when it can. */
export function refuseEngine(
  config: MigrationConfig,
  state: State,
  { engine }: SwitchEngine,
): string | null {
  if (state.switchedAt !== null)
    return 'late: the switch has begun; nothing is replicated any more';
  if (state.phase !== 'parked') return `nothing is parked: it is in ${state.phase}`;
  if (state.unsettled) return 'early: the interrupted cutover has to be settled first; retry-phase';
  if (engineInUse(config, state) === engine) return `it is ${engine} already`;
  return notPossible(config, state, engine);
}

/** What is loaded anew is checked anew; else nobody looks at what the plan has found of the engine. */
function notPossible(config: MigrationConfig, state: State, engine: Engine): string | null {
  if (engineInUse(config, state) === 'azure-dms' || state.parkedIn === 'preflight') return null;
  const found = state.plan?.plan.engines.find((option) => option.engine === engine);
  if (found === undefined || found.possible) return null;
  return `${engine} is not possible between these servers, as the plan found: ${found.whyNot.join('; ')}`;
}

/**
 * Goes on with another engine. Only our own applier's position is exact to the transaction, so what
 * another one has loaded is loaded anew; an earlier workflow may have begun that, so whether anything is to
 * be emptied is for the checkpoint to tell.
 */
export function switchEngine(
  config: MigrationConfig,
  state: State,
  { engine }: SwitchEngine,
): void {
  if (engineInUse(config, state) === 'azure-dms') state.startsOver = true;
  state.engine = engine;
  state.retry = true;
}

/** As if nothing had been copied; what is known of the servers stays. */
export function startOver(state: State): Phase {
  state.loaded = false;
  state.copy = null;
  state.verification = null;
  state.verifiedOnce = false;
  state.provisioning = null;
  state.plan = null;
  state.lagMs = null;
  state.window = null;
  return 'preflight';
}
