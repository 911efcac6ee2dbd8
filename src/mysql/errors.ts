import type { FailureCode } from '../failures.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Endpoint } from './endpoint.ts';
import { describeEndpoint } from './endpoint.ts';

/**
 * Classified by errno (server) or code (driver, socket), never by message text: messages differ by
 * version and language and hold row values. Source: MySQL 8.4 error reference.
 */
const byErrno = new Map<number, FailureCode>([
  [1040, 'TRANSIENT'], // too many connections
  [1041, 'TRANSIENT'], // out of memory
  [1053, 'CONNECTION_LOST'], // shutdown in progress
  [1105, 'TRANSIENT'], // unknown: what a server that is shutting down may answer to anything
  [1044, 'ACCESS_DENIED'],
  [1045, 'ACCESS_DENIED'],
  [1142, 'ACCESS_DENIED'],
  [1143, 'ACCESS_DENIED'],
  [1227, 'ACCESS_DENIED'],
  [1370, 'ACCESS_DENIED'],
  [3118, 'ACCESS_DENIED'], // account is locked
  [1203, 'TRANSIENT'],
  [1205, 'TRANSIENT'],
  [1213, 'TRANSIENT'],
  [1226, 'TRANSIENT'],
  [1290, 'TRANSIENT'], // read-only: while a managed server fails over, or its disk is all but full
  [1836, 'TRANSIENT'], // the same
  [3032, 'TRANSIENT'], // offline mode
  [3572, 'TRANSIENT'],
  [1129, 'CONNECTION_LOST'],
  [1158, 'CONNECTION_LOST'],
  [1159, 'CONNECTION_LOST'],
  [1160, 'CONNECTION_LOST'],
  [1161, 'CONNECTION_LOST'],
  [1236, 'BINLOG_PURGED'],
  [1317, 'TRANSIENT'], // query interrupted
  [1927, 'CONNECTION_LOST'],
  [2006, 'CONNECTION_LOST'],
  [2013, 'CONNECTION_LOST'],
  [3024, 'TRANSIENT'], // max_execution_time
  [4031, 'CONNECTION_LOST'], // disconnected for inactivity
]);

const lostConnection = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_ENQUEUE_AFTER_QUIT',
  'HANDSHAKE_SSL_ERROR',
]);

/** Turns a driver's error into a failure. mysql2's errors carry `sql` and row values: neither is kept. */
export function toFailure(error: unknown, endpoint: Endpoint): SkyferryFailure {
  if (error instanceof SkyferryFailure) return error;
  const { errno, code, fatal } = asDriverError(error);
  const where = describeEndpoint(endpoint);
  if (errno !== undefined && errno > 0 && errno < 2000) return serverFailure(errno, code, where);
  if (errno !== undefined && errno >= 3000) return serverFailure(errno, code, where);
  if (code !== undefined && (lostConnection.has(code) || fatal)) {
    return new SkyferryFailure('CONNECTION_LOST', `${where}: ${code}`);
  }
  if (code !== undefined) return new SkyferryFailure('CONNECTION_LOST', `${where}: ${code}`);
  // mysql2 raises plain Errors without a code for use after destroy: nothing more is known than the class.
  const name = error instanceof Error ? error.name : typeof error;
  return new SkyferryFailure('CONNECTION_LOST', `${where}: connection unusable (${name})`);
}

function serverFailure(errno: number, code: string | undefined, where: string): SkyferryFailure {
  const failureCode = byErrno.get(errno) ?? 'STATEMENT_FAILED';
  return new SkyferryFailure(failureCode, `${where}: MySQL error ${errno} (${code ?? '?'})`, {
    errno,
  });
}

interface DriverError {
  errno: number | undefined;
  code: string | undefined;
  fatal: boolean;
}

function asDriverError(error: unknown): DriverError {
  const e = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return {
    errno: typeof e['errno'] === 'number' ? e['errno'] : undefined,
    code: typeof e['code'] === 'string' ? e['code'] : undefined,
    fatal: e['fatal'] === true,
  };
}
