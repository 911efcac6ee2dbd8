import type { Clouds } from '../clouds/clouds.ts';
import type { SecretResolver } from '../config/secrets.ts';
import type { SwitchCommands } from '../cutover/switches/command.ts';

/** What a worker gives to its activities. Everything else comes with the input. */
export interface ActivityDependencies {
  readonly secrets: SecretResolver;
  /** With the worker's own identity in each of them. */
  readonly clouds: Clouds;
  /** The clock of maintenance windows. */
  readonly now: () => Date;
  /** Files below these may be switched. */
  readonly switchDirectories: readonly string[];
  /** From the worker's own file. */
  readonly switchCommands: SwitchCommands;
  /** Names registered in the worker's namespace. */
  readonly searchAttributes: () => Promise<string[]>;
}
