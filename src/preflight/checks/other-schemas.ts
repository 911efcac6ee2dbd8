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
    const named = new Set([...config.schemas, ...config.cutover.otherSchemasMayBeFenced]);
    const others = (await listSchemas(facts)).filter((s) => !named.has(s));
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

/** Every schema of the source but the server's own, as far as the accounts may see them. */
export async function listSchemas({
  source,
  fence,
}: Pick<SourceSide, 'source' | 'fence'>): Promise<string[]> {
  // The fence account holds PROCESS and so may see every schema that has tables in InnoDB.
  const rows = await (fence ?? source).connection.query<{ s: string }>(
    fence === undefined || !fence.grants.global('PROCESS')
      ? 'SELECT schema_name AS s FROM information_schema.schemata'
      : "SELECT DISTINCT SUBSTRING_INDEX(name, '/', 1) AS s FROM information_schema.innodb_tables WHERE name LIKE '%/%'",
  );
  return rows.map(({ s }) => s).filter((s) => !system.includes(s.toLowerCase()));
}
