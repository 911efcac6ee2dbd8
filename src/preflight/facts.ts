import type { LocatedConfig } from '../config/located.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { readAccount } from '../mysql/server-facts.ts';
import { Grants } from '../mysql/grants.ts';

/** What the checks look at: read once, so that no check asks a server what another asked already. */
export interface PreflightFacts {
  readonly config: LocatedConfig;
  readonly catalog: Catalog;
  readonly source: ServerFacts;
  readonly target: ServerFacts;
  readonly fence: ServerFacts | undefined;
  /** Each consumer's own login on the target. */
  readonly consumers: readonly ConsumerLogin[];
  /** undefined: this program may not switch endpoints. */
  readonly switches: readonly ConsumerSwitch[] | undefined;
  readonly signal: AbortSignal;
}

/** Before the target is made: of it only what its vendor fixes is known. */
export type SourceSide = Omit<PreflightFacts, 'target' | 'consumers'> & {
  readonly target: Pick<ServerFacts, 'variable'>;
};

export interface ConsumerLogin {
  readonly consumer: string;
  readonly account: Endpoint;
}

/** The part of a switch that changes nothing. */
export interface ConsumerSwitch {
  readonly consumer: string;
  /** Throws SWITCH_FAILED when the endpoint is neither as before nor switched. */
  precondition(signal: AbortSignal): Promise<void>;
}

export interface ServerFacts {
  /** `source`, `target` or `fence`: which login the facts are seen with. */
  readonly role: 'source' | 'target' | 'fence';
  readonly user: string;
  /** As a GRANT names it. */
  readonly account: string;
  readonly connection: Connection;
  readonly grants: Grants;
  readonly version: ServerVersion;
  /** A global variable's value as text, undefined where the server does not know it. */
  variable(name: string): string | undefined;
}

export interface ServerVersion {
  readonly text: string;
  /** 8.4.3 is 80403. */
  readonly number: number;
  readonly mariadb: boolean;
}

export async function readServerFacts(
  role: ServerFacts['role'],
  user: string,
  connection: Connection,
): Promise<ServerFacts> {
  const rows = await connection.query<{ Variable_name: string; Value: string }>(
    'SHOW GLOBAL VARIABLES',
  );
  const variables = new Map(rows.map((row) => [row.Variable_name, row.Value]));
  return {
    role,
    user,
    account: await readAccount(connection),
    connection,
    grants: await Grants.read(connection),
    version: parseVersion(variables.get('version') ?? ''),
    variable: (name) => variables.get(name),
  };
}

export function parseVersion(text: string): ServerVersion {
  const [, major = '0', minor = '0', patch = '0'] = /^(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return {
    text,
    number: Number(major) * 10_000 + Number(minor) * 100 + Number(patch),
    mariadb: /mariadb/i.test(text),
  };
}

export interface Connections {
  readonly source: Connection;
  readonly target: Connection;
  readonly fence: Connection | undefined;
}

/** Everything but the catalog, which an account with too few rights cannot read. */
export async function readServers(
  config: LocatedConfig,
  connections: Connections,
): Promise<Pick<PreflightFacts, 'source' | 'target' | 'fence'>> {
  // Where no account of its own is named, the migration's own one fences; see `resolveFence`.
  const fenceUser = config.source.fence?.user ?? config.source.user;
  return {
    source: await readServerFacts('source', config.source.user, connections.source),
    target: await readServerFacts('target', config.target.user, connections.target),
    fence:
      connections.fence !== undefined
        ? await readServerFacts('fence', fenceUser, connections.fence)
        : undefined,
  };
}
