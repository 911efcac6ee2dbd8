import { hash } from 'node:crypto';
import { parseTextRow } from '../mysql/packets.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import { endOfFields } from './diff-rows.ts';
import type { KeyValue, RowForm, Side } from './row-form.ts';
import { equalsKey } from './row-form.ts';

const KEYS_A_QUERY = 200;

/**
 * A digest of the row of each key, null where there is none. The server itself says which key a row
 * belongs to, since by a collation `a` may be the key of the row `A`; a second key that means the same
 * row gets null, on both sides alike.
 */
export async function readKeys(
  connection: RawConnection,
  side: Side,
  form: RowForm,
  keys: readonly (readonly KeyValue[])[],
): Promise<(string | null)[]> {
  const found: (string | null)[] = keys.map(() => null);
  for (let from = 0; from < keys.length; from += KEYS_A_QUERY) {
    const conditions = keys
      .slice(from, from + KEYS_A_QUERY)
      .map((key) => equalsKey(form.keyColumns, key));
    const which = conditions.map((condition, i) => `WHEN ${condition} THEN ${i}`).join(' ');
    await connection.selectRows(
      `SELECT CASE ${which} END, ${form.columns} FROM ${form.from[side]}
        WHERE ${conditions.map((condition) => `(${condition})`).join(' OR ')}`,
      (buffer, start, end) => {
        const rowAt = endOfFields(buffer, start, 1);
        const index = Number(parseTextRow(buffer, start, rowAt)[0]?.toString('latin1'));
        found[from + index] = hash('sha256', buffer.subarray(rowAt, end), 'base64');
        return true;
      },
    );
  }
  return found;
}
