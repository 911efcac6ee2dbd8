import { readCheckpoint, remember } from '../checkpoint/store.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { isFailure } from '../failures.ts';
import {
  LONGEST_RDS_RETENTION_HOURS,
  readRetention,
  setRdsRetention,
} from '../mysql/binlog-retention.ts';
import { raiseRdsRetention } from '../prepare/source/raise-retention.ts';

/** The former value is remembered before it is changed, and only once. Says what it did. */
export async function raiseRetention(
  source: Connection,
  target: Connection,
  name: string,
): Promise<string[]> {
  const retention = await readRetention(source);
  if (retention.kind !== 'rds') return [];
  const { hours } = retention;
  if (hours !== null && hours >= LONGEST_RDS_RETENTION_HOURS) return [];
  try {
    const raise = { from: hours, to: LONGEST_RDS_RETENTION_HOURS };
    await raiseRdsRetention({ source, target }, name, raise);
  } catch (error) {
    if (!isFailure(error, 'ACCESS_DENIED')) throw error;
    await remember(target, name, { retention: null });
    return [
      `the source keeps its binlog ${hours ?? 'no set number of'} h; this account may not raise it`,
    ];
  }
  return [
    `the source keeps its binlog ${LONGEST_RDS_RETENTION_HOURS} h (before: ${hours ?? 'not set'}); put back at the end`,
  ];
}

/**
 * For when the source may be fenced or switched off: what could not be put back is said, with the statement
 * that does it, and fails nothing.
 */
export async function restoreRetentionIfPossible(
  sourceEndpoint: Endpoint,
  target: Connection,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const former = (await readCheckpoint(target, name))?.remembered['retention'];
  if (typeof former !== 'string') return [];
  try {
    return await withConnection(sourceEndpoint, { signal }, (source) =>
      restoreRetention(source, target, name),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    const before = former === 'not set' ? 'NULL' : former;
    return [
      `the source's binlog retention is still raised (${error.code}); once the source takes writes again: CALL mysql.rds_set_configuration('binlog retention hours', ${before});`,
    ];
  }
}

/** Puts back what `raiseRetention` remembered. Safe to repeat. */
async function restoreRetention(
  source: Connection,
  target: Connection,
  name: string,
): Promise<string[]> {
  const former = (await readCheckpoint(target, name))?.remembered['retention'];
  if (typeof former !== 'string') return [];
  await setRdsRetention(source, former === 'not set' ? null : Number(former));
  await remember(target, name, { retention: null });
  return [`the source's binlog retention is put back (hours: ${former})`];
}
