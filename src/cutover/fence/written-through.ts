import type { Connection } from '../../mysql/connection.ts';
import type { QualifiedName } from '../../mysql/identifier.ts';

const WRITES = /\b(insert|update|delete|replace|truncate|load|call|execute)\b/i;

/**
 * Views and programs of other schemas that may write in the migrated ones by their definer's rights: who uses
 * them needs no right there, and so is not locked. By their text, as far as the account may see it.
 */
export async function writtenThrough(
  connection: Connection,
  schemas: readonly string[],
): Promise<QualifiedName[]> {
  const rows = await connection.query<{ s: string; n: string; body: string | null; kind: string }>(
    `SELECT table_schema AS s, table_name AS n, view_definition AS body, 'view' AS kind
       FROM information_schema.views WHERE security_type = 'DEFINER' AND is_updatable = 'YES'
     UNION ALL
     SELECT routine_schema, routine_name, routine_definition, 'routine'
       FROM information_schema.routines WHERE security_type = 'DEFINER'
     UNION ALL
     SELECT trigger_schema, trigger_name, action_statement, 'trigger' FROM information_schema.triggers`,
  );
  const own = new Set(schemas.map((schema) => schema.toLowerCase()));
  const names = new RegExp(`(?<![\\w$])(${schemas.map(escape).join('|')})(?![\\w$])`, 'i');
  return rows
    .filter(({ s }) => !own.has(s.toLowerCase()) && !SYSTEM.has(s.toLowerCase()))
    .filter(({ body, kind }) => body !== null && (kind === 'view' || WRITES.test(body)))
    .filter(({ body }) => names.test(body ?? ''))
    .map(({ s, n }) => ({ schema: s, name: n }));
}

const SYSTEM = new Set(['mysql', 'sys', 'information_schema', 'performance_schema']);

const escape = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
