import type { Connection } from '../connection.ts';
import { displayName, qualify } from '../identifier.ts';
import { shownProgram } from './shown-program.ts';
import { byKey, text } from './text.ts';
import type { Trigger } from './types.ts';

/** In an order in which they can be created: of one table, time and event, as they run. */
export async function readTriggers(
  connection: Connection,
  schemas: readonly string[],
): Promise<Trigger[]> {
  const rows = await connection.query(
    `SELECT TRIGGER_SCHEMA AS triggerSchema, TRIGGER_NAME AS triggerName, EVENT_OBJECT_TABLE AS tableName,
            ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, ACTION_ORDER AS actionOrder, DEFINER AS definer
       FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  const triggers: { sortKey: string; trigger: Trigger }[] = [];
  for (const row of rows) {
    const schema = text(row['triggerSchema']);
    const name = { schema, name: text(row['triggerName']) };
    const table = { schema, name: text(row['tableName']) };
    const order = text(row['actionOrder']);
    const [shown] = await connection.query(`SHOW CREATE TRIGGER ${qualify(name)}`);
    triggers.push({
      sortKey: [
        schema,
        table.name,
        text(row['timing']),
        text(row['event']),
        order.padStart(9, '0'),
      ].join('\0'),
      trigger: {
        name,
        table,
        order: Number(order),
        definer: text(row['definer']),
        ...shownProgram(displayName(name), shown, shown?.['SQL Original Statement']),
      },
    });
  }
  return triggers.sort(byKey(({ sortKey }) => sortKey)).map(({ trigger }) => trigger);
}
