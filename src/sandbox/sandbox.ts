import type { MigrationConfig } from '../config/schema.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { openSecretsFolder } from './secrets-folder.ts';
import { SUPERUSER as TARGET_SUPERUSER } from './servers/azure-like-target.ts';
import { SUPERUSER as SOURCE_SUPERUSER } from './servers/rds-like-source.ts';
import type { Layout, SandboxState } from './state.ts';

export const DEFAULT_STATE_DIR = '.skyferry';
/** Server certificates are for this name; the servers listen on the loopback only. */
export const HOST = 'localhost';
export const CA_FILE = 'ca.pem';

/**
 * Names of the password files below the secrets folder. The application has one account, carried to the
 * target with its password.
 */
export const passwordFiles = {
  source: {
    admin: 'source-admin',
    migration: 'source-migration',
    fence: 'source-fence',
    app: 'app',
  },
  target: { admin: 'target-admin', migration: 'target-migration', app: 'app' },
} as const;

/** A Temporal server, an RDS-like source and an Azure-like target, and how to log in to them. */
export interface Sandbox {
  readonly stateDir: string;
  /** For `skyferry worker --secrets`. */
  readonly secretsDir: string;
  readonly state: SandboxState;
  readonly temporal: { readonly address: string; readonly uiUrl: string };
  readonly source: {
    /** May do everything; for what a cloud's customer could not do, such as seeding odd objects. */
    readonly superuser: Endpoint;
    /** What RDS gives its customer. */
    readonly admin: Endpoint;
    readonly migration: Endpoint;
    readonly fence: Endpoint;
    readonly app: Endpoint;
  };
  readonly target: {
    readonly superuser: Endpoint;
    /** What Azure gives its customer. */
    readonly admin: Endpoint;
    readonly migration: Endpoint;
    readonly app: Endpoint;
  };
}

/** Running or not; its passwords are made when they are asked for first. */
export async function describeSandbox(layout: Layout, state: SandboxState): Promise<Sandbox> {
  const { ports } = state;
  const secrets = await openSecretsFolder(layout.secrets);
  const superusers = await openSecretsFolder(layout.superusers);
  const tls = { mode: 'verify-identity', ca: (await secrets.read(CA_FILE)) ?? '' } as const;
  const login = async (port: number, user: string, password: Promise<string>) => ({
    host: HOST,
    port,
    user,
    password: await password,
    tls,
  });
  const onSource = (user: string, file: string) =>
    login(ports.source, user, secrets.password(file));
  const onTarget = (user: string, file: string) =>
    login(ports.target, user, secrets.password(file));
  return {
    stateDir: layout.root,
    secretsDir: layout.secrets,
    state,
    temporal: {
      address: `127.0.0.1:${ports.temporal}`,
      uiUrl: `http://127.0.0.1:${ports.temporalUi}`,
    },
    source: {
      superuser: await login(ports.source, SOURCE_SUPERUSER, superusers.password('source')),
      admin: await onSource('admin', passwordFiles.source.admin),
      migration: await onSource('skyferry_src', passwordFiles.source.migration),
      fence: await onSource('skyferry_fence', passwordFiles.source.fence),
      app: await onSource('app', passwordFiles.source.app),
    },
    target: {
      superuser: await login(ports.target, TARGET_SUPERUSER, superusers.password('target')),
      admin: await onTarget('admin', passwordFiles.target.admin),
      migration: await onTarget('skyferry_tgt', passwordFiles.target.migration),
      app: await onTarget('app', passwordFiles.target.app),
    },
  };
}

/** The servers as a migration's configuration names them: secrets by reference. */
export function configuredServers({ state }: Sandbox): {
  source: Extract<MigrationConfig['source'], { kind: 'mysql' }>;
  target: Extract<MigrationConfig['target'], { kind: 'mysql' }>;
} {
  const reference = (file: string) => `\${file:${file}}`;
  const server = (port: number, user: string, file: string) => ({
    kind: 'mysql' as const,
    host: HOST,
    port,
    user,
    password: reference(file),
    tls: { mode: 'verify-identity' as const, ca: reference(CA_FILE) },
  });
  return {
    source: {
      ...server(state.ports.source, 'skyferry_src', passwordFiles.source.migration),
      fence: { user: 'skyferry_fence', password: reference(passwordFiles.source.fence) },
    },
    target: server(state.ports.target, 'skyferry_tgt', passwordFiles.target.migration),
  };
}
