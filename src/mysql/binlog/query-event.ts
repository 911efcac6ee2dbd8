import type { EventBase, QueryEvent } from './events.ts';
import { uint32 } from './integers.ts';
import { corrupt } from './problems.ts';

export function readQuery(base: EventBase, bytes: Buffer, start: number, end: number): QueryEvent {
  const schemaLength = bytes[start + 8]!;
  const statusLength = bytes[start + 11]! | (bytes[start + 12]! << 8);
  const schema = start + 13 + statusLength;
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
  };
}
