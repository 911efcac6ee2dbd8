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

/** The same from RDS to a server that is made. */
export function cloudConfig(name: string): MigrationConfig {
  return migrationConfigSchema.parse({
    name,
    source: {
      kind: 'rds-mysql',
      region: 'us-east-1',
      instance: 'shop-old',
      user: 'sky',
      password: '${env:SOURCE_PASSWORD}',
    },
    target: {
      kind: 'azure-mysql-flexible',
      subscription: '11111111-2222-3333-4444-555555555555',
      resourceGroup: 'shop',
      server: 'shop-new',
      user: 'sky',
      password: '${env:TARGET_PASSWORD}',
      create: { location: 'koreacentral', storageGb: 64, network: { access: 'public' } },
      sku: { load: 'Standard_D8ds_v4', run: 'Standard_D2ds_v4' },
    },
    schemas: ['shop'],
  });
}
