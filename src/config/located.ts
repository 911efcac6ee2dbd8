import type { Address } from '../mysql/endpoint.ts';
import type { Engine, MigrationConfig } from './schema.ts';

/** A configuration together with what was found out since: what activities work with. */
export type LocatedConfig = Omit<MigrationConfig, 'source' | 'target' | 'engine'> & {
  readonly source: MigrationConfig['source'] & Address;
  readonly target: MigrationConfig['target'] & Address;
  /** The one in use: `auto` is decided by the plan, and a person may switch it. */
  readonly engine: Engine;
  readonly writtenEngine: MigrationConfig['engine'];
};

/** The address that stands in the configuration; null for a server that its cloud has to name. */
export function writtenAddress(server: MigrationConfig['source' | 'target']): Address | null {
  return server.kind === 'mysql' ? { host: server.host, port: server.port } : null;
}

export function withAddresses(
  config: MigrationConfig,
  { source, target }: { readonly source: Address; readonly target: Address },
  engine: Engine = engineBeforePlan(config),
): LocatedConfig {
  return {
    ...config,
    engine,
    writtenEngine: config.engine,
    source: { ...config.source, ...source },
    target: { ...config.target, ...target },
  };
}

/** What is looked at first, and the only one that both others could fall back on. */
function engineBeforePlan({ engine }: MigrationConfig): Engine {
  return engine === 'auto' ? 'built-in' : engine;
}

/** Null when a cloud has to be asked first. */
export function locateWritten(config: MigrationConfig, engine?: Engine): LocatedConfig | null {
  const source = writtenAddress(config.source);
  const target = writtenAddress(config.target);
  if (source === null || target === null) return null;
  return withAddresses(config, { source, target }, engine);
}

/** How people call a server, before anybody has asked where it is. */
export function serverName(server: MigrationConfig['source' | 'target']): string {
  switch (server.kind) {
    case 'mysql':
      return `${server.host}:${server.port}`;
    case 'rds-mysql':
      return `RDS ${server.instance} (${server.region})`;
    case 'aurora-mysql':
      return `Aurora ${server.cluster} (${server.region})`;
    case 'azure-mysql-flexible':
      return `Azure ${server.server} (${server.resourceGroup})`;
  }
}
