import type { FailureCode } from '../failures.ts';
import { isFailure } from '../failures.ts';
import type { MigrationStatus, Phase } from '../workflows/messages.ts';
import { isOver } from '../workflows/state.ts';
import { TemporalUnreachable } from './temporal.ts';

/** The contract with scripts; listed in the README. */
export const exitCodes = {
  ok: 0,
  error: 1,
  usage: 2,
  preflightBlocked: 3,
  waitingForPerson: 4,
  rowsDiffer: 5,
  rolledBack: 6,
  temporalUnreachable: 7,
  detached: 130,
} as const;

const byFailure: Partial<Record<FailureCode, number>> = {
  CONFIG_INVALID: exitCodes.usage,
  SECRET_UNRESOLVED: exitCodes.usage,
  PREFLIGHT_BLOCKED: exitCodes.preflightBlocked,
  ROWS_DIFFER: exitCodes.rowsDiffer,
  DOWNTIME_EXCEEDED: exitCodes.rolledBack,
};

const waiting: ReadonlySet<Phase> = new Set([
  'awaiting-preparation',
  'awaiting-approval',
  'awaiting-window',
  'parked',
]);

/** Whether it goes on only when a person, or the clock of a window, lets it. */
export const isWaiting = ({ phase, paused }: Pick<MigrationStatus, 'phase' | 'paused'>): boolean =>
  waiting.has(phase) || (paused && !isOver(phase));

/** Why a migration stands still, for scripts that ask for its status. */
export function exitCodeOfStatus(status: MigrationStatus): number {
  const { phase, failure, history } = status;
  if (phase === 'failed') return exitCodes.error;
  if (phase === 'rolled-back') return exitCodes.rolledBack;
  if (phase === 'parked') {
    if (failure?.code === 'ROWS_DIFFER') return exitCodes.rowsDiffer;
    if (failure?.code === 'DOWNTIME_EXCEEDED' || history.at(-2)?.phase === 'rolled-back') {
      return exitCodes.rolledBack;
    }
  }
  return isWaiting(status) ? exitCodes.waitingForPerson : exitCodes.ok;
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof TemporalUnreachable) return exitCodes.temporalUnreachable;
  return isFailure(error) ? (byFailure[error.code] ?? exitCodes.error) : exitCodes.error;
}
