import type { FailureCode } from '../failures.ts';
import { isFailure } from '../failures.ts';
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

export function exitCodeOf(error: unknown): number {
  if (error instanceof TemporalUnreachable) return exitCodes.temporalUnreachable;
  return isFailure(error) ? (byFailure[error.code] ?? exitCodes.error) : exitCodes.error;
}
