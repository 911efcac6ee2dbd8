import { spawn } from 'node:child_process';
import { SkyferryFailure } from '../../failures.ts';

/** One dynamic update (RFC 2136), sent to a zone's primary as a whole or not at all. */
export interface DynamicUpdate {
  /** An address. */
  readonly server: { readonly host: string; readonly port: number };
  readonly zone: string;
  readonly key: TsigKey | null;
  /** Lines of nsupdate between `zone` and `send`. */
  readonly lines: readonly string[];
}

export interface TsigKey {
  readonly name: string;
  readonly algorithm: string;
  /** Base64. */
  readonly secret: string;
}

/** What the server said, e.g. NXRRSET; `unknown` when nothing came back: it may have been done. */
export type UpdateOutcome = 'done' | 'unknown' | { readonly refused: string };

const REPLY_TIMEOUT_S = 5;
const TIMEOUT_MS = 10_000;

/**
 * Runs BIND's nsupdate, with everything on its standard input: a key on the command line could be read
 * by every user of the machine. By TCP, over which nothing is sent twice. What it prints is not
 * repeated, apart from the response code: it may quote the key.
 */
export async function sendUpdate(
  command: readonly string[],
  { server, zone, key, lines }: DynamicUpdate,
  signal: AbortSignal,
): Promise<UpdateOutcome> {
  const script = [
    `server ${server.host} ${server.port}`,
    `zone ${absolute(zone)}`,
    ...(key === null ? [] : [keyLine(key)]),
    ...lines,
    'send',
    '',
  ].join('\n');
  const [program = '', ...args] = command;
  const { status, output } = await run(
    program,
    [...args, '-v', '-t', String(REPLY_TIMEOUT_S)],
    script,
    signal,
  );
  if (status === 0) return 'done';
  const refused = /update failed: ([A-Z]+)/.exec(output)?.[1];
  return refused === undefined ? 'unknown' : { refused };
}

export function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

/** Throws SWITCH_FAILED for a key that cannot be given to nsupdate. */
export function keyLine({ name, algorithm, secret }: TsigKey): string {
  const isPlain = /^[\w.-]+$/.test(name) && /^[A-Za-z0-9+/]+={0,2}$/.test(secret);
  if (isPlain) return `key ${algorithm}:${name} ${secret}`;
  // The value is not repeated; a line break in it would begin a line of its own.
  throw new SkyferryFailure('SWITCH_FAILED', `the TSIG key ${name} is not a name and base64`, {
    safe: 'nothing was sent',
    next: 'let the reference name the key’s secret alone, as `tsig-keygen` prints it between quotes',
  });
}

async function run(
  program: string,
  args: readonly string[],
  input: string,
  signal: AbortSignal,
): Promise<{ status: number | null; output: string }> {
  signal.throwIfAborted();
  return await new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      signal,
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000);
    });
    child.on('error', () => resolve({ status: null, output }));
    child.on('close', (status) => resolve({ status, output }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
