import type { EventBase, QueryEvent } from './events.ts';
import { uint32 } from './integers.ts';
import { corrupt } from './problems.ts';

export function readQuery(base: EventBase, bytes: Buffer, start: number, end: number): QueryEvent {
  const schemaLength = bytes[start + 8]!;
  const statusLength = bytes[start + 11]! | (bytes[start + 12]! << 8);
  const status = start + 13;
  const schema = status + statusLength;
  const text = schema + schemaLength + 1;
  if (!(text <= end)) throw corrupt('a Query event is cut off');
  return {
    file: base.file,
    offset: base.offset,
    timestamp: base.timestamp,
    serverId: base.serverId,
    type: 'query',
    threadId: uint32(bytes, start),
    errorCode: bytes[start + 9]! | (bytes[start + 10]! << 8),
    schema: bytes.toString('utf8', schema, schema + schemaLength),
    sql: bytes.toString('utf8', text, end),
    text: bytes.subarray(text, end),
    statusVariables: bytes.subarray(status, schema),
  };
}

/** The session in which a statement ran; null: not logged. */
interface QueryContext {
  readonly sqlMode: bigint | null;
  /** Collation ids: client, connection, server. */
  readonly collations: { client: number; connection: number; server: number } | null;
  readonly timeZone: string | null;
  /** Schemas that the statement changed; null: not logged, or more than 254. */
  readonly updatedSchemas: readonly string[] | null;
  readonly noForeignKeyChecks: boolean;
  readonly relaxedUniqueChecks: boolean;
}

const flagBits = { noForeignKeyChecks: 1 << 26, relaxedUniqueChecks: 1 << 27 } as const;

/** Stops at the first status variable that is not known: what was read before stays valid. */
export function readQueryContext(event: QueryEvent): QueryContext {
  const bytes = event.statusVariables;
  const context = {
    sqlMode: null as bigint | null,
    collations: null as QueryContext['collations'],
    timeZone: null as string | null,
    updatedSchemas: null as string[] | null,
    noForeignKeyChecks: false,
    relaxedUniqueChecks: false,
  };
  let at = 0;
  const short = () => {
    const length = bytes[at] ?? 0;
    const value = bytes.toString('utf8', at + 1, at + 1 + length);
    at += 1 + length;
    return value;
  };
  while (at < bytes.length) {
    const code = bytes[at++]!;
    switch (code) {
      case 0: {
        const flags = uint32(bytes, at);
        context.noForeignKeyChecks = (flags & flagBits.noForeignKeyChecks) !== 0;
        context.relaxedUniqueChecks = (flags & flagBits.relaxedUniqueChecks) !== 0;
        at += 4;
        break;
      }
      case 1:
        if (at + 8 > bytes.length) return context;
        context.sqlMode = bytes.readBigUInt64LE(at);
        at += 8;
        break;
      case 2: // catalog with a zero byte after it (5.0)
        short();
        at += 1;
        break;
      case 3: // auto_increment_increment, auto_increment_offset
        at += 4;
        break;
      case 4:
        if (at + 6 > bytes.length) return context;
        context.collations = {
          client: bytes.readUInt16LE(at),
          connection: bytes.readUInt16LE(at + 2),
          server: bytes.readUInt16LE(at + 4),
        };
        at += 6;
        break;
      case 5:
        context.timeZone = short();
        break;
      case 6: // catalog
        short();
        break;
      case 7: // lc_time_names
      case 8: // character set of the database
      case 18: // default collation of utf8mb4
        at += 2;
        break;
      case 9: // tables changed by a multi-table update
      case 17: // XID of a DDL statement
        at += 8;
        break;
      case 10: // bytes written by the source
        at += 4;
        break;
      case 11: // invoker: user, host
        short();
        short();
        break;
      case 12: {
        const count = bytes[at++] ?? 0;
        const OVER_MAXIMUM = 254;
        if (count === OVER_MAXIMUM) break;
        const schemas: string[] = [];
        for (let i = 0; i < count; i++) {
          const end = bytes.indexOf(0, at);
          if (end < 0) return context;
          schemas.push(bytes.toString('utf8', at, end));
          at = end + 1;
        }
        context.updatedSchemas = schemas;
        break;
      }
      case 13: // microseconds
        at += 3;
        break;
      case 16: // explicit_defaults_for_timestamp
      case 19: // sql_require_primary_key
      case 20: // default_table_encryption
        at += 1;
        break;
      default:
        return context;
    }
  }
  return context;
}
