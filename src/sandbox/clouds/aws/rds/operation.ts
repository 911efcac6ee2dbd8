import type { Rds, ResourceKind } from './state.ts';
import { arn } from './state.ts';
import type { RdsTasks } from './tasks.ts';

export interface Call {
  readonly rds: Rds;
  readonly tasks: RdsTasks;
  /** Accepted, but it is to come to nothing. */
  readonly failing: boolean;
}

export interface Operation {
  /** ARNs that the caller needs the action's permission on. */
  resources(rds: Rds, input: unknown): string[];
  run(call: Call, input: unknown): unknown;
}

/** The input was held to the package's schema of exactly that type before it comes here. */
export function on<I>(
  kind: ResourceKind,
  name: (input: I) => string | undefined,
  run: (call: Call, input: I) => unknown,
  others: (rds: Rds, input: I) => string[] = () => [],
): Operation {
  return {
    resources: (rds, input) => [
      arn(rds, kind, name(input as I) ?? '*'),
      ...others(rds, input as I),
    ],
    run: (call, input) => run(call, input as I),
  };
}

/** A group is named, or by its ARN. */
export function nameOf(identifier: string | undefined): string {
  return (identifier ?? '').replace(/^arn:.*:/, '');
}
