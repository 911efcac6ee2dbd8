import { displayName, spelledOn } from '../../mysql/identifier.ts';
import { readCheckpoint } from '../../checkpoint/store.ts';
import { isFailure } from '../../failures.ts';
import { check } from '../finding.ts';

/** Rows and programs of somebody else must not be replaced: a target is empty, or this migration's own. */
export const targetEmptyCheck = check(
  'target-empty',
  'the target holds nothing but what this migration made',
  async ({ target, catalog, config }) => {
    const own = await readCheckpoint(target.connection, config.name).catch((error: unknown) => {
      // No schema `skyferry` yet, or no table in it: the first run.
      if (isFailure(error) && [1146, 1049, 1142, 1044].includes(error.detail.errno ?? 0))
        return null;
      throw error;
    });
    // Its name is taken before anything is checked; nothing was made before a position was noted.
    if (own !== null && own.position !== null) return [];
    const lctn = Number(target.variable('lower_case_table_names') ?? 0);
    const rows = [];
    for (const kind of ['table', 'routine', 'event']) {
      const found = await target.connection.query<{ s: string; n: string }>(
        `SELECT ${kind}_schema AS s, ${kind}_name AS n FROM information_schema.${kind}s
        WHERE LOWER(${kind}_schema) IN (${config.schemas.map(() => '?').join(', ')}) ORDER BY 1, 2`,
        config.schemas.map((schema) => schema.toLowerCase()),
      );
      rows.push(...found);
    }
    const ours = new Set(
      catalog.schemas.map(({ name }) => spelledOn({ schema: name, name: 'x' }, lctn).schema),
    );
    const there = rows
      .filter(({ s }) => ours.has(s))
      .map(({ s, n }) => displayName({ schema: s, name: n }));
    if (there.length === 0) return [];
    const shown = there.slice(0, 20).join(', ');
    return [
      {
        severity: 'blocker' as const,
        object: there.length > 20 ? `${shown} and ${there.length - 20} more` : shown,
        found: 'is on the target already, and no checkpoint says that this migration made it',
        fix: 'drop or rename what is there if nobody needs it, or choose another target',
      },
    ];
  },
);
