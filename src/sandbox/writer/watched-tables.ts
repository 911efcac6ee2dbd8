import type { Connection } from '../../mysql/connection.ts';
import type { QualifiedName } from '../../mysql/identifier.ts';
import { qualify, quoteIdentifier } from '../../mysql/identifier.ts';

type KeyKind = 'number' | 'text' | 'folded' | 'hex';

/** A table in which sessions own rows, and how the state of such a row is put into one digest. */
interface WatchedTable {
  readonly name: QualifiedName;
  /** Folded: text that compares without case, kept in lower case; hex: a binary key. */
  readonly key: Readonly<Record<string, KeyKind>>;
  readonly columns: readonly string[];
  /** For tables without a key: all rows with these key columns count as one, with their number. */
  readonly aggregated?: true;
}

const table = (
  schema: string,
  name: string,
  key: Readonly<Record<string, KeyKind>>,
  columns: string,
): WatchedTable => ({ name: { schema, name }, key, columns: columns.split(',') });

const watchedTables = {
  customer: table('brokerage', 'customer', { id: 'number' }, 'id,code,name,email,born,tier,preferences,referred_by,created_at,updated_at,email_domain,risk_note'), // prettier-ignore
  desk: table('brokerage', 'desk', { id: 'number' }, 'id,parent_id,name'),
  account: table('brokerage', 'account', { id: 'number' }, 'id,customer_id,number,currency,opening_balance,balance,margin,version,active,available,overdrawn'), // prettier-ignore
  instrument: table('brokerage', 'instrument', { symbol: 'folded' }, 'symbol,name,kind,isin,tick,listing_slot,flags,meta,meta_sector'), // prettier-ignore
  watchlist: table('brokerage', 'watchlist_item', { customer_id: 'number', symbol: 'folded' }, 'customer_id,symbol,rank_no,added_at'), // prettier-ignore
  price: table('brokerage', 'price.history', { symbol: 'folded', day: 'text' }, 'symbol,day,open,close,vwap,volatility,volume'), // prettier-ignore
  order: table('brokerage', 'order', { id: 'number' }, 'id,account_id,symbol,client_ref,side,status,quantity,limit,fee,attributes,placed_at,expires_at,notional,internal_note'), // prettier-ignore
  fill: table('brokerage', 'fill', { order_id: 'number', line_no: 'number' }, 'order_id,line_no,quantity,price,venue,executed_at'), // prettier-ignore
  note: table('brokerage', 'TradeNote', { id: 'number' }, 'id,order_id,author,body'),
  document: table('brokerage', 'document', { id: 'hex' }, 'id,customer_id,kind,signature,content,summary'), // prettier-ignore
  member: table('brokerage', 'clearing-member', { 'member no': 'number' }, 'member no,name,capacity'),
  marginCall: table('brokerage', 'clearing margin call', { 'member no': 'number', call: 'number' }, 'member no,call,amount,due'), // prettier-ignore
  tape: {
    ...table('brokerage', 'tape', { source: 'text', tag: 'number' }, 'source,tag,price,size,flags'),
    aggregated: true,
  },
  settlement: table('batch', 'settlement_item', { id: 'number' }, 'id,order_id,run_id,amount,settled'), // prettier-ignore
  everyType: table('batch', 'every_type', { id: 'number' }, 'id,a_tinyint,a_utinyint,a_smallint,a_mediumint,a_umediumint,a_int,a_uint,a_bigint,a_ubigint,a_decimal,a_wide_decimal,a_float,a_double,a_bit,a_bit17,a_bit64,a_date,a_datetime,a_datetime6,a_timestamp,a_timestamp3,a_time,a_time3,a_time6,a_year,an_enum,a_set,a_char,a_binary,a_varbinary,a_tinyblob,a_blob,a_longblob,a_tinytext,a_longtext,a_json,hidden,total,short_text'), // prettier-ignore
  job: table('scheduler', 'job', { name: 'folded' }, 'name,symbol,every,plan,enabled'),
  jobRun: table('scheduler', 'job_run', { job_name: 'folded', run_no: 'number' }, 'job_name,run_no,started_at,outcome'), // prettier-ignore
  jobRunLine: table('scheduler', 'job_run_line', { job_name: 'folded', run_no: 'number', line_no: 'number' }, 'job_name,run_no,line_no,message'), // prettier-ignore
  pulse: table('scheduler', 'pulse', { id: 'number' }, 'id,source,beat'),
} as const satisfies Record<string, WatchedTable>; // prettier-ignore

export type WatchedName = keyof typeof watchedTables;

/** Parts of a key as one text; parts never hold the separator. */
const SEPARATOR = '|';

export function rowKey(name: WatchedName, parts: readonly (string | number | bigint)[]): string {
  const kinds = Object.values(watchedTables[name].key);
  if (parts.length !== kinds.length) throw new RangeError(`key of ${name}`);
  return parts
    .map((part, i) => (kinds[i] === 'folded' ? String(part).toLowerCase() : String(part)))
    .join(SEPARATOR);
}

/** For every session that takes digests: the same rows have the same ones then, on either server. */
export const digestSession = [
  "SET time_zone = '+00:00', NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci",
] as const;

const KEYS_PER_STATEMENT = 100;

/**
 * The state of rows: key to digest, null for an absent one. `lock` reads what is committed last and
 * keeps it (FOR UPDATE).
 */
export async function readDigests(
  connection: Connection,
  name: WatchedName,
  keys: readonly string[],
  { lock = false }: { lock?: boolean } = {},
): Promise<Map<string, string | null>> {
  const digests = new Map<string, string | null>(keys.map((key) => [key, null]));
  for (let start = 0; start < keys.length; start += KEYS_PER_STATEMENT) {
    const part = keys.slice(start, start + KEYS_PER_STATEMENT);
    const values: (string | Buffer)[] = [];
    const statement = part.map((key, i) => `(${selectOne(name, key, i, values, lock)})`);
    for (const row of await connection.query(statement.join(' UNION ALL '), values)) {
      const key = part[Number(row['n'])];
      if (key !== undefined) digests.set(key, String(row['digest']));
    }
  }
  return digests;
}

function selectOne(
  name: WatchedName,
  key: string,
  index: number,
  values: (string | Buffer)[],
  lock: boolean,
): string {
  const watched: WatchedTable = watchedTables[name];
  const parts = key.split(SEPARATOR);
  const where = Object.entries(watched.key).map(([column, kind], i) => {
    const part = parts[i] ?? '';
    // Numbers as they are: a quoted one near 2^64 would be compared as a double.
    if (kind === 'number') {
      if (!/^-?\d+$/.test(part)) throw new RangeError(`key of ${name}`);
      return `${quoteIdentifier(column)} = ${part}`;
    }
    values.push(kind === 'hex' ? Buffer.from(part, 'hex') : part);
    return `${quoteIdentifier(column)} = ?`;
  });
  const row = `SHA2(CONCAT_WS(',', ${watched.columns
    .map((column) => `IFNULL(HEX(CONCAT(${quoteIdentifier(column)}, '')), '-')`)
    .join(', ')}), 256)`;
  const from = `FROM ${qualify(watched.name)} WHERE ${where.join(' AND ')}`;
  if (watched.aggregated !== true) {
    return `SELECT ${index} AS n, ${row} AS digest ${from}${lock ? ' FOR UPDATE' : ''}`;
  }
  // Rows that repeat: their number, and a sum that does not depend on their order.
  return `SELECT ${index} AS n, CONCAT(COUNT(*), ':', SUM(CAST(CONV(LEFT(${row}, 12), 16, 10) AS UNSIGNED))) AS digest ${from} HAVING COUNT(*) > 0`;
}
