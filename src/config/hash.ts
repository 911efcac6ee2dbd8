import { createHash } from 'node:crypto';
import type { Address } from '../mysql/endpoint.ts';
import type { LocatedConfig } from './located.ts';
import type { MigrationConfig } from './schema.ts';

/** SHA-256 (hex) of JSON with its keys in order, so that equal content has one hash. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Of what the user wrote, whether or not something has been found out since. */
export function configHash(config: MigrationConfig | LocatedConfig): string {
  const { source, target } = config;
  return contentHash({
    ...('writtenEngine' in config ? unlocated(config) : config),
    source: asWritten(source),
    target: asWritten(target),
  });
}

function unlocated({ writtenEngine, ...config }: LocatedConfig): object {
  return { ...config, engine: writtenEngine };
}

function asWritten(server: MigrationConfig['source' | 'target'] & Partial<Address>): object {
  if (server.kind === 'mysql') return server;
  const { host: _host, port: _port, ...written } = server;
  return written;
}
