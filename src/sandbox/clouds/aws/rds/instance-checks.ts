import { QueryFailure } from '../query-protocol.ts';
import type { Instance, Rds } from './state.ts';
import { findGroup } from './state.ts';

export function checkPassword(password: string | undefined): string {
  const checked = required('MasterUserPassword', password);
  // RDS refuses `/`, `@`, `"` and spaces; the sandbox quotes and backslashes too.
  if (!/^[^/@"'\\\s]{8,41}$/.test(checked)) {
    throw new QueryFailure(
      'InvalidParameterValue',
      'The parameter MasterUserPassword is not valid',
    );
  }
  return checked;
}

export function requireAvailable({ id, status }: Instance): void {
  if (status !== 'available') {
    throw new QueryFailure(
      'InvalidDBInstanceState',
      `Database instance ${id} is not in available state: it is ${status}.`,
    );
  }
}

export function checkFamily(rds: Rds, group: string, family: string): void {
  const found = findGroup(rds, 'instance', group);
  if (found.family !== family) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      `The parameter group ${group} with DBParameterGroupFamily ${found.family} can't be used for this instance. ` +
        `Use a parameter group with DBParameterGroupFamily ${family}.`,
    );
  }
}

export function checkRetention(days: number): number {
  if (!Number.isInteger(days) || days < 0 || days > 35) {
    throw new QueryFailure(
      'InvalidParameterValue',
      `Invalid backup retention period: ${days}. Must be between 0 and 35.`,
    );
  }
  return days;
}

export function checkIdentifier(parameter: string, name: string, length: number): void {
  const wellFormed = /^[a-z](-?[a-z0-9])*$/.test(name) && name.length <= length;
  if (!wellFormed) {
    throw new QueryFailure(
      'InvalidParameterValue',
      `The parameter ${parameter} is not a valid identifier. Identifiers must begin with a letter; ` +
        'must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.',
    );
  }
}

/** For members that the schema leaves optional and the operation does not. */
export function required<T>(parameter: string, value: T | undefined): T {
  if (value === undefined) {
    throw new QueryFailure(
      'MissingParameter',
      `The request must contain the parameter ${parameter}.`,
    );
  }
  return value;
}

/** Real members that this sandbox would not act on: said aloud rather than swallowed. */
export function refuseUnsupported(input: object, supported: ReadonlySet<string>): void {
  const stranger = Object.keys(input).find((name) => !supported.has(name));
  if (stranger !== undefined) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      `the sandbox does nothing with ${stranger}`,
    );
  }
}
