import type { Connection } from '../../mysql/connection.ts';
import type { WritingTransaction } from '../writing-transactions.ts';
import { writingTransactions } from '../writing-transactions.ts';
import { cover } from './cover.ts';
import type { AccountName, FenceKind } from './fence.ts';
import { sessionsOf } from './locked-sessions.ts';
import { readAccounts } from './writers.ts';

/** Of the server that would be fenced. */
export interface Rehearsal {
  /** A session of the account that would raise the fence. */
  readonly connection: Connection;
  readonly schemas: readonly string[];
  /** User names of the migration itself, which are not locked. */
  readonly own: readonly string[];
  readonly applicationAccounts: readonly AccountName[];
}

/**
 * What raising a fence would meet at this moment, as one line: it looks as raising does, and stops nobody.
 * How long it takes in the end depends on who writes then.
 */
export async function rehearse(kind: FenceKind, rehearsal: Rehearsal): Promise<string> {
  const lines = [
    ...(kind.startsWith('account-lock') ? [await asLock(rehearsal)] : []),
    ...(kind === 'super-read-only' || kind === 'aurora-read-only'
      ? [await asReadOnly(rehearsal)]
      : []),
    ...(kind.endsWith('rds-read-only')
      ? ['how long the parameter takes to reach the server is not rehearsed']
      : []),
  ];
  return lines.join('; ');
}

async function asLock({
  connection,
  schemas,
  own,
  applicationAccounts,
}: Rehearsal): Promise<string> {
  const began = performance.now();
  const { covered } = cover(await readAccounts(connection, schemas), own, applicationAccounts);
  const accounts = covered.filter(({ locked }) => !locked);
  const sessions = await sessionsOf(connection, accounts);
  const looked = Math.ceil(performance.now() - began);
  const threads = new Set(sessions.map(({ thread }) => thread));
  const writing = (await writingTransactions(connection)).filter(({ thread }) =>
    threads.has(thread),
  );
  return [
    `accounts to lock now: ${accounts.length}`,
    `sessions to end: ${sessions.length}, with open ${ofThem(writing)}`,
    `a look at accounts and sessions, of which it takes about ten: ${looked} ms`,
  ].join('; ');
}

async function asReadOnly({ connection }: Rehearsal): Promise<string> {
  const shown = await connection.query<{
    Id: string | number;
    Command: string;
    Time: string | number;
  }>('SHOW PROCESSLIST');
  const running = shown.filter(
    ({ Id, Command }) =>
      Number(Id) !== connection.threadId && (Command === 'Query' || Command === 'Execute'),
  );
  const longest = Math.max(0, ...running.map(({ Time }) => Number(Time)));
  const writing = await writingTransactions(connection);
  return [
    `statements that run now, of which it waits for those that write: ${running.length}, the longest for ${longest} s`,
    `open ${ofThem(writing)}`,
  ].join('; ');
}

/** What a transaction has changed is undone before its session is gone. */
function ofThem(writing: readonly WritingTransaction[]): string {
  const rows = writing.reduce((sum, each) => sum + each.rows, 0);
  return `transactions that have changed rows: ${writing.length} (${rows} rows)`;
}
