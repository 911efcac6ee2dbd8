import type { Endpoint } from '../../mysql/endpoint.ts';
import type { Program } from '../resolver/program.ts';
import type { Account } from '../servers/accounts.ts';

export interface CloudRequest {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface CloudResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One vendor API. Its state lives in stores, written to disk before the answer: a restart forgets nothing. */
export interface CloudService {
  readonly name: string;
  /** Is this request for me? */
  matches(request: CloudRequest): boolean;
  answer(request: CloudRequest): Promise<CloudResponse>;
  close?(): Promise<void>;
}

/** Plain JSON under a name. `value` is changed in place, then saved. */
export interface Store<T> {
  readonly value: T;
  /** Durable when it resolves. */
  save(): Promise<void>;
}

export interface CloudContext {
  /** The stored value of that name, or `initial` on the first start. */
  store<T>(name: string, initial: T): Promise<Store<T>>;
  readonly faults: Faults;
  readonly servers: MysqlFleet;
  readonly names: NameServer;
  /** AWS region, e.g. `eu-central-1`. */
  readonly region: string;
  /** PEM text: the authority that signed what the clouds' servers show. */
  readonly ca: string;
}

/**
 * What a service renders itself, in its vendor's form: `throttle` (429 or the vendor's throttling
 * code, with Retry-After), `conflict` (another operation is in progress), `server-error` (500),
 * `expired` (the credentials are), `fail-operation` (accepted; the long-running operation fails),
 * `refuse` (with the rule's `status` and `code`: quota, policy, a missing right).
 */
export type ServiceFaultKind =
  'throttle' | 'conflict' | 'server-error' | 'expired' | 'fail-operation' | 'refuse';

/** What the gateway carries out by itself; services never see it. */
export type GatewayFaultKind = 'drop-before' | 'drop-after' | 'slow';

export interface FaultRule {
  readonly match: {
    /** The service's name; without it any service. */
    readonly service?: string;
    /** The vendor's operation, e.g. `ModifyDBInstance` or `Servers_Create`; without it any. */
    readonly operation?: string;
  };
  /** How often; default 1. */
  readonly times?: number;
  readonly kind: ServiceFaultKind | GatewayFaultKind;
  /** For `slow`: held back that long after the operation was done; default 2000. */
  readonly delayMs?: number;
  /** For `throttle`; default 1. */
  readonly retryAfterSeconds?: number;
  /** For `refuse`; default 400. */
  readonly status?: number;
  /** The vendor's error code instead of the usual one of that kind. */
  readonly code?: string;
}

export interface Fault extends FaultRule {
  readonly kind: ServiceFaultKind;
}

/** Faults on demand, set by tests through `POST /_faults` (a list of rules, added to those there). */
export interface Faults {
  /**
   * Called once at the start of each operation, before anything is done: it also tells the request
   * log the operation's name. Returns the first fault that matches, counted down, for the service
   * to render. Connections are dropped and answers held back by the gateway: `drop-before` is
   * thrown from here (let it pass), `drop-after` and `slow` are done with the answer.
   */
  take(service: string, operation: string): Fault | null;
}

export interface MysqlServerSpec {
  /** Unique over all services, e.g. `azure-orders` or `rds-orders`. */
  readonly id: string;
  /** The vendor's host name: in the certificate and in the name server. */
  readonly hostName: string;
  readonly flags: readonly string[];
  readonly lowerCaseTableNames: 0 | 1;
  readonly accounts: readonly Account[];
  /** Run once by the superuser, outside the binlog, before the accounts are made. */
  readonly statements: readonly string[];
  /** Default `cloud_superuser`, at localhost: definer of what `statements` create. */
  readonly superuser?: string;
}

/**
 * Real mysqld processes, one loopback address each (127.x.y.11, .12, …, x.y the sandbox's own), all on
 * port 3306 as in the clouds, so that DNS can move a client. Certificate with the given host name,
 * signed by the sandbox's authority. Names are entered in the name server by the fleet and taken out
 * again with `remove`. A restart of the clouds starts those servers again that ran.
 */
export interface MysqlFleet {
  /** One that exists is finished and started if need be, and otherwise left as it is. */
  create(spec: MysqlServerSpec): Promise<{ host: string; address: string; port: number }>;
  /** Shuts the server down and starts it with these flags instead of the former. */
  restart(id: string, flags: readonly string[]): Promise<void>;
  stop(id: string): Promise<void>;
  start(id: string): Promise<void>;
  /** Its data too. Does nothing when there is no such server. */
  remove(id: string): Promise<void>;
  superuser(id: string): Endpoint;
  has(id: string): boolean;
  readonly port: number;
  /** What runs: its version, and the flags that it knows. */
  readonly program: Pick<Program, 'version' | 'flags'>;
}

export interface NameRecord {
  readonly name: string;
  readonly type: 'A' | 'CNAME' | 'TXT';
  readonly ttl: number;
  readonly data: string;
}

/** The sandbox's DNS: vendors' host names (A records of the fleet) and the fake zones. */
export interface NameServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  setAddress(hostName: string, ip: string): void;
  removeAddress(hostName: string): void;
  setZone(zone: string, records: readonly NameRecord[]): void;
}
