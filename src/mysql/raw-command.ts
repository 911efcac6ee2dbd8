import type { Buffer as NodeBuffer } from 'node:buffer';
import type { Completion } from './packets.ts';
import { MAX_PAYLOAD } from './packets.ts';
import type { OnRow, Selected } from './raw-connection.ts';

/** What runs on a connection, how far its answer has come, and who waits for it. */
export type Command = RunCommand | SelectCommand | LoadCommand;

interface RunCommand {
  readonly kind: 'run';
  resolve(completion: Completion): void;
  reject(error: unknown): void;
}

export interface SelectCommand {
  readonly kind: 'select';
  readonly onRow: OnRow;
  state: 'header' | 'columns' | 'columns-end' | 'rows';
  columns: number;
  rows: number;
  resolve(selected: Selected): void;
  reject(error: unknown): void;
}

export interface LoadCommand {
  readonly kind: 'load';
  state: 'asking' | 'sending' | 'ended';
  asked: () => void;
  resolve(completion: Completion): void;
  reject(error: unknown): void;
}

const COM_QUERY = 3;
export const COM_QUIT = Buffer.from([1, 0, 0, 0, 1]);

/** A statement as packets; with `attributes` as a session that negotiated CLIENT_QUERY_ATTRIBUTES sends it. */
export function* queryPackets(sql: string, attributes: boolean): Generator<NodeBuffer> {
  const prefix = attributes ? [COM_QUERY, 0, 1] : [COM_QUERY];
  const payload = Buffer.concat([Buffer.from(prefix), Buffer.from(sql)]);
  for (let at = 0, sequence = 0; ; at += MAX_PAYLOAD, sequence++) {
    const part = payload.subarray(at, at + MAX_PAYLOAD);
    const header = Buffer.alloc(4);
    writeHeader(header, part.length, sequence);
    yield Buffer.concat([header, part]);
    if (part.length < MAX_PAYLOAD) return;
  }
}

export function writeHeader(packet: NodeBuffer, length: number, sequence: number): void {
  packet[0] = length & 0xff;
  packet[1] = (length >> 8) & 0xff;
  packet[2] = length >> 16;
  packet[3] = sequence & 0xff;
}
