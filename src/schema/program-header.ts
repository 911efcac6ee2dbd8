import { isWord } from '../mysql/catalog/create-table.ts';
import type { Token } from '../mysql/catalog/sql-tokens.ts';
import { tokenize } from '../mysql/catalog/sql-tokens.ts';

/** `CREATE DEFINER=… …` with the creating account in the definer's place. */
export function withCurrentDefiner(createStatement: string): string {
  const { start, end } = definerSpan(createStatement);
  return `${createStatement.slice(0, start)}CURRENT_USER${createStatement.slice(end)}`;
}

/** Without its definer: equal for two programs that differ only in whose they are. */
export function withoutDefiner(createStatement: string): string {
  const { start, end } = definerSpan(createStatement);
  return createStatement.slice(0, start) + createStatement.slice(end);
}

export function orReplace(createStatement: string): string {
  return createStatement.replace(/^CREATE /, 'CREATE OR REPLACE ');
}

/** CREATE EVENT whose event is created disabled. */
export function disabled(createStatement: string): string {
  const { start, end } = statusSpan(createStatement);
  return `${createStatement.slice(0, start)}DISABLE${createStatement.slice(end)}`;
}

/** The account behind `DEFINER =`. SHOW CREATE always prints one, before the body. */
function definerSpan(statement: string): { start: number; end: number } {
  const header: Token[] = [];
  for (const token of tokenize(statement)) {
    header.push(token);
    const [definer, equals, user, at, host] = header.slice(-5);
    if (isWord(definer, 'DEFINER') && equals?.value === '=' && at?.value === '@') {
      return { start: user?.start ?? 0, end: host?.end ?? 0 };
    }
  }
  throw new RangeError('a stored program without a definer');
}

/** `ENABLE`, `DISABLE` or `DISABLE ON REPLICA`, behind `ON COMPLETION [NOT] PRESERVE`. */
function statusSpan(statement: string): { start: number; end: number } {
  const tokens: Token[] = [];
  for (const token of tokenize(statement)) {
    tokens.push(token);
    const behindPreserve = tokens.findIndex((one) => isWord(one, 'PRESERVE')) + 1;
    if (behindPreserve === 0 || tokens.length < behindPreserve + 3) continue;
    const [status, on, where] = tokens.slice(behindPreserve);
    const end = isWord(on, 'ON') ? where?.end : status?.end;
    return { start: status?.start ?? 0, end: end ?? 0 };
  }
  throw new RangeError('an event without a status');
}
