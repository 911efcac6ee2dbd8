import type { MigrationConfig } from '../../src/config/schema.ts';
import { migrationConfigSchema } from '../../src/config/schema.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';

interface Pair {
  readonly source: Endpoint;
  readonly target: Endpoint;
}

/** The schema `shop` from one real server to another, whose consumer reads `file`; secrets by reference. */
export function pairConfig(
  name: string,
  pair: Pair,
  file: string,
  more: { readonly engine?: 'native' } = {},
): MigrationConfig {
  return migrationConfigSchema.parse({ ...writtenPairConfig(name, pair, file), ...more });
}

/** As a person would write it. */
export function writtenPairConfig(name: string, { source, target }: Pair, file: string) {
  return {
    name,
    source: {
      ...server(source, 'SOURCE'),
      fence: { user: source.user, password: '${env:SOURCE_PASSWORD}' },
    },
    target: server(target, 'TARGET'),
    schemas: ['shop'],
    cutover: {
      switches: [
        {
          consumer: 'app',
          kind: 'file',
          path: file,
          from: addressOf(source),
          to: addressOf(target),
        },
      ],
    },
  };
}

/** What its references are resolved from. */
export function pairSecrets({ source, target }: Pair): Record<string, string> {
  return {
    SOURCE_PASSWORD: source.password,
    TARGET_PASSWORD: target.password,
    SOURCE_CA: caOf(source),
    TARGET_CA: caOf(target),
  };
}

function server({ host, port, user }: Endpoint, side: 'SOURCE' | 'TARGET') {
  return {
    host,
    port,
    user,
    password: `\${env:${side}_PASSWORD}`,
    tls: { ca: `\${env:${side}_CA}` },
  };
}

function addressOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}

function caOf({ tls }: Endpoint): string {
  return tls.mode === 'verify-identity' ? (tls.ca ?? '') : '';
}
