import type { LocatedConfig } from '../config/located.ts';
import { locateWritten, withAddresses } from '../config/located.ts';
import type { MigrationConfig } from '../config/schema.ts';
import type { State } from './state.ts';

/** For activities. A server in a cloud is known once the preparation has found or made it. */
export function located({
  config,
  state,
}: {
  readonly config: MigrationConfig;
  readonly state: State;
}): LocatedConfig {
  const { servers, engine } = state;
  const chosen = engine ?? undefined;
  const found =
    servers === null ? locateWritten(config, chosen) : withAddresses(config, servers, chosen);
  if (found === null) throw new Error('the servers are not located yet');
  return found;
}
