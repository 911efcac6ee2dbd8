import { hash } from 'node:crypto';
import { parseTextRow } from '../../../mysql/packets.ts';
import type { RawConnection } from '../../../mysql/raw-connection.ts';
import { endOfFields } from '../../../verify/diff-rows.ts';
import type { KeyValue } from '../../../verify/row-form.ts';
import { equalsKey } from '../../../verify/row-form.ts';
import type { Fingerprint } from './fingerprint.ts';
import { ABSENT } from './fingerprint.ts';
import type { TableHistory } from './table-history.ts';

/** How a row looks on the target now. */
export interface TargetState {
  /** Of the whole row, as `readKeys` gives it. */
  readonly digest: string | null;
  /** As the source's binlog tells states. */
  readonly fingerprint: Fingerprint;
}

export const NOWHERE: TargetState = { digest: null, fingerprint: ABSENT };

/** A few keys: one query. */
export async function readStates(
  target: RawConnection,
  { form, fingerprints }: TableHistory,
  keys: readonly (readonly KeyValue[])[],
): Promise<TargetState[]> {
  const found: TargetState[] = keys.map(() => NOWHERE);
  const conditions = keys.map((key) => equalsKey(form.keyColumns, key));
  const which = conditions.map((condition, i) => `WHEN ${condition} THEN ${i}`).join(' ');
  const { items } = fingerprints;
  await target.selectRows(
    `SELECT ${[`CASE ${which} END`, ...items, form.columns].join(', ')} FROM ${form.from.target}
      WHERE ${conditions.map((condition) => `(${condition})`).join(' OR ')}`,
    (buffer, start, end) => {
      const rowAt = endOfFields(buffer, start, 1 + items.length);
      const [index, ...values] = parseTextRow(buffer, start, rowAt);
      found[Number(index?.toString('latin1'))] = {
        digest: hash('sha256', buffer.subarray(rowAt, end), 'base64'),
        fingerprint: fingerprints.ofSelected(values),
      };
      return true;
    },
  );
  return found;
}
