import type { Connection } from '../connection.ts';
import { qualify } from '../identifier.ts';
import { byKey, text } from './text.ts';
import type { View } from './types.ts';

export async function readViews(
  connection: Connection,
  schemas: readonly string[],
): Promise<View[]> {
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA AS viewSchema, TABLE_NAME AS viewName, DEFINER AS definer, SECURITY_TYPE AS security,
            CHARACTER_SET_CLIENT AS characterSetClient, COLLATION_CONNECTION AS collationConnection
       FROM information_schema.VIEWS WHERE TABLE_SCHEMA IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  const views: View[] = [];
  for (const row of rows) {
    const name = { schema: text(row['viewSchema']), name: text(row['viewName']) };
    const [shown] = await connection.query(`SHOW CREATE VIEW ${qualify(name)}`);
    views.push({
      name,
      definer: text(row['definer']),
      characterSetClient: text(row['characterSetClient']),
      collationConnection: text(row['collationConnection']),
      createStatement: text(shown?.['Create View']),
      security: text(row['security']) === 'INVOKER' ? 'INVOKER' : 'DEFINER',
    });
  }
  return views.sort(byKey((view) => `${view.name.schema}\0${view.name.name}`));
}
