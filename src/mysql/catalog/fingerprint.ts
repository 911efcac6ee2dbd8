import { createHash } from 'node:crypto';
import { displayName } from '../identifier.ts';
import { parseCreateTable } from './create-table.ts';
import type { Table } from './types.ts';

/** SHA-256 over what the tables are: their counters and estimates are left out. `tables` in order. */
export function fingerprintTables(tables: readonly Table[]): string {
  const hash = createHash('sha256');
  for (const table of tables) {
    const { elements, tail } = parseCreateTable(table.createStatement);
    const definition = [
      displayName(table.name),
      ...elements.map((element) => element.text),
      withoutCounter(tail),
    ];
    hash.update(JSON.stringify(definition));
  }
  return hash.digest('hex');
}

/** SHOW CREATE TABLE prints the counter behind the engine, before anything that may hold a string. */
function withoutCounter(tail: string): string {
  return tail.replace(/^( ENGINE=\w+)? AUTO_INCREMENT=\d+/, '$1');
}
