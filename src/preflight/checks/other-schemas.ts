import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';
import { chosenFence } from './fence-kind.ts';

const system = ['mysql', 'sys', 'information_schema', 'performance_schema'];

/** A read-only server stops the whole of it, not only what is migrated. */
export const otherSchemasCheck = check<SourceSide>(
  'other-schemas',
  'the fence stops nothing that must go on',
  async (facts) => {
    const { config } = facts;
    // Locked accounts stop whatever else they write: who they are is said there.
    if ((await chosenFence(facts))?.kind === 'account-lock') return [];
    const others = await listOthers(facts, [
      ...config.schemas,
      ...config.cutover.otherSchemasMayBeFenced,
    ]);
    if (others.length === 0) return [];
    return [
      {
        severity: 'blocker' as const,
        object: others.join(', '),
        found: 'is on the source too and would take no writes during and after the cutover',
        fix: 'move it together (schemas), or name it in cutover.otherSchemasMayBeFenced',
      },
    ];
  },
);

/** Schemas of the source beside `named` and the server's own, as far as the accounts may see them. */
export async function listOthers(
  { source, fence }: Pick<SourceSide, 'source' | 'fence'>,
  named: readonly string[],
): Promise<string[]> {
  const known = [...named, ...system];
  if (fence === undefined || !fence.grants.global('PROCESS')) {
    const rows = await (fence ?? source).connection.query<{ s: string }>(
      'SELECT schema_name AS s FROM information_schema.schemata',
    );
    return rows.map(({ s }) => s).filter((s) => !known.includes(s));
  }
  // With PROCESS every schema that has tables in InnoDB can be seen.
  const rows = await fence.connection.query<{ s: string }>(
    "SELECT DISTINCT SUBSTRING_INDEX(name, '/', 1) AS s FROM information_schema.innodb_tables WHERE name LIKE '%/%'",
  );
  return rows
    .map(({ s }) => fileName(s))
    .filter(({ meant }) => !known.some((schema) => meant.test(schema)))
    .map(({ shown }) => shown);
}

/**
 * InnoDB spells names as their files are: a dash is `@002d`, while letters beyond ASCII have codes of two
 * characters (`@1r`) by tables of MySQL's own. Such a one stands here for any letter beyond ASCII.
 */
function fileName(encoded: string): { readonly shown: string; readonly meant: RegExp } {
  const shown = encoded.replaceAll(/@([\da-f]{4})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const pattern = encoded
    .replaceAll(/@(?![\da-f]{4})../g, '[^\\x00-\\x7f]')
    .replaceAll(/@([\da-f]{4})/g, '\\u$1');
  return { shown, meant: new RegExp(`^${pattern}$`) };
}
