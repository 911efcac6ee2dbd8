import pc from 'picocolors';
import { ConfigFileFailure } from '../config/load.ts';
import { isFailure } from '../failures.ts';
import { printable } from '../observe/printable.ts';
import { TemporalUnreachable } from './temporal.ts';

/** What `--json` prints, once, on stdout. */
export interface Envelope {
  format_version: 1;
  status: 'ok' | 'error' | 'waiting' | 'blocked';
  data?: unknown;
  error?: { code: string; message: string; safe?: string; next?: string };
  issues: Issue[];
  next_steps: string[];
}

export interface Issue {
  code: string;
  severity: string;
  object?: string;
  message: string;
  fix?: string;
}

/** stdout carries data, stderr what happens; colour only on a terminal (picocolors honours NO_COLOR). */
export const out = (line = ''): void => void process.stdout.write(`${printable(line)}\n`);
export const note = (line = ''): void => void process.stderr.write(`${printable(line)}\n`);

export function printJson(envelope: Partial<Envelope> & Pick<Envelope, 'status'>): void {
  out(JSON.stringify({ format_version: 1, issues: [], next_steps: [], ...envelope }, null, 2));
}

export function printError(error: unknown, json: boolean): void {
  if (json) {
    printJson(errorEnvelope(error));
    return;
  }
  const described = describeError(error);
  const [first = '', ...more] = described.message.split('\n');
  note(`${pc.red('✗')} ${first} ${pc.dim(`[${described.code}]`)}`);
  for (const line of more) note(line);
  if (described.safe !== undefined) note(`  ${pc.bold('safe:')} ${described.safe}`);
  if (described.next !== undefined) note(`  ${pc.bold('next:')} ${described.next}`);
}

/** For commands that have data to print with their error: one envelope holds both. */
export function errorEnvelope(
  error: unknown,
): Pick<Envelope, 'status' | 'error' | 'issues' | 'next_steps'> {
  const described = describeError(error);
  return {
    status: 'error',
    error: described,
    issues: error instanceof ConfigFileFailure ? toIssues(error) : [],
    next_steps: described.next === undefined ? [] : [described.next],
  };
}

function toIssues({ file, issues }: ConfigFileFailure): Issue[] {
  return issues.map(({ line, column, path, message }) => ({
    code: 'CONFIG_INVALID',
    severity: 'blocker',
    object: `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}`,
    message,
  }));
}

function describeError(error: unknown): NonNullable<Envelope['error']> {
  if (error instanceof TemporalUnreachable) {
    return { code: error.code, message: error.message, next: error.next };
  }
  if (isFailure(error)) {
    const { safe, next } = error.detail;
    return {
      code: error.code,
      message: error.message,
      ...(safe !== undefined && { safe }),
      ...(next !== undefined && { next }),
    };
  }
  return { code: 'ERROR', message: error instanceof Error ? error.message : String(error) };
}
