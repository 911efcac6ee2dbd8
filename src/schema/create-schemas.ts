import { readSchemas } from '../mysql/catalog/schemas.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import { inTargetSession } from './target-session.ts';

/** Creates what is missing, and gives schemas the source's default collation. */
export async function createSchemas(
  target: Endpoint,
  catalog: Catalog,
  lctn: number,
): Promise<void> {
  await inTargetSession(target, undefined, async (connection) => {
    for (const schema of catalog.schemas) {
      const { schema: name } = spelledOn({ schema: schema.name, name: schema.name }, lctn);
      const defaults = `CHARACTER SET ${schema.charset} COLLATE ${schema.collation}`;
      await connection.execute(
        `CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(name)} ${defaults}`,
      );
      const [now] = await readSchemas(connection, [name]);
      if (now?.collation !== schema.collation) {
        await connection.execute(`ALTER DATABASE ${quoteIdentifier(name)} ${defaults}`);
      }
    }
  });
}
