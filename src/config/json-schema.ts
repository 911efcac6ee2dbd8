import { z } from 'zod';
import { migrationConfigSchema } from './schema.ts';

/** The JSON Schema of `skyferry.yaml`, for editors. `io: 'input'`: fields with defaults may be left out. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(migrationConfigSchema, { io: 'input', target: 'draft-7' });
}
