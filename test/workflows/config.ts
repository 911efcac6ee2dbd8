import type { MigrationConfig } from '../../src/config/schema.ts';
import { migrationConfigSchema } from '../../src/config/schema.ts';

export const planHash = 'a'.repeat(64);

/** A small valid input; `cutover` is laid over it. */
export function config(name: string, cutover: Record<string, unknown> = {}): MigrationConfig {
  return migrationConfigSchema.parse({
    name,
    source: { host: 'old.internal', user: 'sky', password: '${env:SOURCE_PASSWORD}' },
    target: { host: 'new.internal', user: 'sky', password: '${env:TARGET_PASSWORD}' },
    schemas: ['shop'],
    cutover,
  });
}
