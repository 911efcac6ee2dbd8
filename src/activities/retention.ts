import { readCheckpoint, remember } from '../checkpoint/store.ts';
import type { Connection } from '../mysql/connection.ts';
import {
  RETENTION_HOURS,
  readRetentionHours,
  setRetentionHours,
} from '../provision/binlog-retention.ts';

/** The former value is remembered before it is changed, and only once. Says what it did. */
export async function raiseRetention(
  source: Connection,
  target: Connection,
  name: string,
): Promise<string[]> {
  const hours = await readRetentionHours(source);
  if (hours === undefined || (hours !== null && hours >= RETENTION_HOURS)) return [];
  const checkpoint = await readCheckpoint(target, name);
  if (checkpoint?.remembered['retention'] === undefined) {
    // Text, because a merged null would take the memory away instead of remembering "not set".
    await remember(target, name, { retention: hours === null ? 'not set' : String(hours) });
  }
  await setRetentionHours(source, RETENTION_HOURS);
  return [
    `the source keeps its binlog ${RETENTION_HOURS} h (before: ${hours ?? 'not set'}); put back at the end`,
  ];
}

/** Puts back what `raiseRetention` remembered. Safe to repeat. */
export async function restoreRetention(
  source: Connection,
  target: Connection,
  name: string,
): Promise<string[]> {
  const former = (await readCheckpoint(target, name))?.remembered['retention'];
  if (typeof former !== 'string') return [];
  await setRetentionHours(source, former === 'not set' ? null : Number(former));
  await remember(target, name, { retention: null });
  return [`the source's binlog retention is put back (hours: ${former})`];
}
