import { hash } from 'node:crypto';
import { lengthEncoded, parseTextRow } from '../mysql/packets.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import type { KeyValue } from './row-form.ts';
import type { RowForm, Side } from './row-form.ts';
import type { Pair } from './session.ts';
import type { DifferenceKind } from './verdict.ts';

export interface Suspect {
  readonly key: KeyValue[];
  readonly kind: DifferenceKind;
}

/**
 * Keys of the rows that are not the same on both sides under a condition. Both sides come in key order,
 * so the rows that wait for their counterpart are few, unless they have none; at most one chunk.
 */
export async function diffRows(
  pair: Pair,
  form: RowForm,
  where: string,
  order: 'by key' | 'any' = 'by key',
): Promise<Suspect[]> {
  const waiting = { source: new Map<string, string>(), target: new Map<string, string>() };
  const differing = new Set<string>();
  const read = async (connection: RawConnection, side: Side): Promise<void> => {
    const mine = waiting[side];
    const theirs = waiting[side === 'source' ? 'target' : 'source'];
    const rest =
      order === 'by key'
        ? `${form.from[side]} WHERE ${where} ORDER BY ${form.orderBy}`
        : `${form.name[side]} WHERE ${where}`;
    const sql = `SELECT ${form.key}, ${form.columns} FROM ${rest}`;
    await connection.selectRows(sql, (buffer, start, end) => {
      const key = buffer.toString(
        'latin1',
        start,
        endOfFields(buffer, start, form.keyColumns.length),
      );
      const row = hash('sha256', buffer.subarray(start, end), 'base64');
      const other = theirs.get(key);
      if (other === undefined) mine.set(key, row);
      else {
        theirs.delete(key);
        if (other !== row) differing.add(key);
      }
      return true;
    });
  };
  await Promise.all([read(pair.source, 'source'), read(pair.target, 'target')]);
  const suspects = (keys: Iterable<string>, kind: DifferenceKind): Suspect[] =>
    [...keys].map((key) => ({ key: parseKey(key), kind }));
  return [
    ...suspects(differing, 'changed'),
    ...suspects(waiting.source.keys(), 'missing'),
    ...suspects(waiting.target.keys(), 'extra'),
  ];
}

export function endOfFields(buffer: Buffer, start: number, count: number): number {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (buffer[at] === 0xfb) at += 1;
    else {
      const { value, end } = lengthEncoded(buffer, at);
      at = end + value;
    }
  }
  return at;
}

function parseKey(key: string): KeyValue[] {
  const bytes = Buffer.from(key, 'latin1');
  return parseTextRow(bytes, 0, bytes.length).map((value) => value ?? Buffer.alloc(0));
}
