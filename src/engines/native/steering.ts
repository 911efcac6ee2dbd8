import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { FilePosition } from '../../mysql/position.ts';
import type { Grants } from '../../mysql/grants.ts';

export interface ReplicationSource {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly from: FilePosition;
  readonly tls: ReplicationTls;
}

export type ReplicationTls =
  | { readonly mode: 'disabled' }
  /** Of the authority: its PEM text for Azure's procedures, a file on the target for the server itself. */
  | { readonly mode: 'encrypted'; readonly caText?: string; readonly caFile?: string };

/** How an account tells the target to replicate. */
export interface Steering {
  readonly by: 'CHANGE REPLICATION SOURCE' | 'mysql.az_replication procedures';
  /** Only what is migrated is applied; null: it cannot be said here. */
  readonly filterFor: (schemas: readonly string[]) => string | null;
  /** Replication must not be configured. */
  configure(target: Connection, source: ReplicationSource): Promise<void>;
  /** The applier must stand still. */
  filter(target: Connection, schemas: readonly string[]): Promise<void>;
  start(target: Connection): Promise<void>;
  stop(target: Connection): Promise<void>;
  /** Forgets source, login and position. */
  remove(target: Connection): Promise<void>;
}

/** null: this account may not. */
export function findSteering(grants: Pick<Grants, 'global' | 'execute'>): Steering | null {
  if (grants.global('REPLICATION_SLAVE_ADMIN') || grants.global('SUPER')) return byStatement;
  return azureProcedures.every((name) => grants.execute(`mysql.${name}`)) ? byAzure : null;
}

export function chooseSteering(grants: Pick<Grants, 'global' | 'execute'>): Steering {
  const steering = findSteering(grants);
  if (steering !== null) return steering;
  throw new SkyferryFailure('ACCESS_DENIED', 'the target account may not set up replication', {
    safe: 'the target is as of the last applied position',
    next: 'on the target: GRANT REPLICATION_SLAVE_ADMIN, or EXECUTE on mysql.az_replication_*; then retry-phase',
  });
}

/** Names whose `_` stands for itself: in a pattern it would be any character. */
function patternOf(schema: string): string {
  return `${schema.replaceAll(/[\\_%]/g, (c) => `\\${c}`)}.%`;
}

const byStatement: Steering = {
  by: 'CHANGE REPLICATION SOURCE',
  filterFor: (schemas) => schemas.map(patternOf).join(','),
  async configure(target, { host, port, user, password, from, tls }) {
    const caFile = tls.mode === 'encrypted' ? (tls.caFile ?? '') : '';
    await target.execute(
      `CHANGE REPLICATION SOURCE TO
         SOURCE_HOST = ?, SOURCE_PORT = ?, SOURCE_USER = ?, SOURCE_PASSWORD = ?,
         SOURCE_LOG_FILE = ?, SOURCE_LOG_POS = ?, SOURCE_AUTO_POSITION = 0,
         SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400, SOURCE_HEARTBEAT_PERIOD = 1,
         SOURCE_SSL = ?, SOURCE_SSL_CA = ?, SOURCE_SSL_VERIFY_SERVER_CERT = ?, GET_SOURCE_PUBLIC_KEY = ?
       FOR CHANNEL ''`,
      [host, port, user, password, from.file, from.offset].concat(
        tls.mode === 'encrypted' ? [1, caFile, caFile === '' ? 0 : 1, 0] : [0, '', 0, 1],
      ),
    );
  },
  async filter(target, schemas) {
    const patterns = schemas.map(patternOf);
    await target.execute(
      `CHANGE REPLICATION FILTER REPLICATE_WILD_DO_TABLE = (${patterns.map(() => '?').join(', ')})
       FOR CHANNEL ''`,
      patterns,
    );
  },
  async start(target) {
    await target.execute("START REPLICA FOR CHANNEL ''");
  },
  async stop(target) {
    await target.execute("STOP REPLICA FOR CHANNEL ''");
  },
  async remove(target) {
    await target.execute("RESET REPLICA ALL FOR CHANNEL ''");
  },
};

export const azureProcedures = [
  'az_replication_change_master',
  'az_replication_start',
  'az_replication_stop',
  'az_replication_remove_master',
] as const;

/** Azure applies nothing of the schema `mysql`; more can be filtered by its server parameters alone. */
const byAzure: Steering = {
  by: 'mysql.az_replication procedures',
  filterFor: () => null,
  async configure(target, { host, port, user, password, from, tls }) {
    const ca = tls.mode === 'encrypted' ? (tls.caText ?? '') : '';
    if (tls.mode === 'encrypted' && ca === '') throw withoutAuthority();
    await target.execute('CALL mysql.az_replication_change_master(?, ?, ?, ?, ?, ?, ?)', [
      host,
      user,
      password,
      port,
      from.file,
      from.offset,
      ca,
    ]);
  },
  async filter() {},
  async start(target) {
    await target.execute('CALL mysql.az_replication_start()');
  },
  async stop(target) {
    await target.execute('CALL mysql.az_replication_stop()');
  },
  async remove(target) {
    await target.execute('CALL mysql.az_replication_remove_master()');
  },
};

function withoutAuthority(): SkyferryFailure {
  return new SkyferryFailure(
    'CONFIG_INVALID',
    'Azure needs the text of the authority that signed the certificate of the source; without it it would replicate without TLS',
    { safe: 'nothing was set up', next: 'set source.tls.ca' },
  );
}
