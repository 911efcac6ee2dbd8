import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { parseConfigText } from '../../../config/load.ts';
import type { Engine, MigrationConfig } from '../../../config/schema.ts';
import type { RunningClouds } from '../../clouds/launch.ts';
import { sandboxPrincipal } from '../../clouds/azure/principal.ts';
import type { SecretsFolder } from '../../secrets-folder.ts';
import type { Scene, ScenePasswords } from './scene.ts';
import { INSTANCE, RECORD, REPLICATION_USER, SECRET, ZONE } from './scene.ts';

export const CLOUDS_MIGRATION = 'stock';
export const AZURE_SERVER = 'stock-db-new';
export const TARGET_HOST = `${AZURE_SERVER}.mysql.database.azure.com`;
const AZURE_ADMIN = 'skyadmin';
/** The secret that holds the authority's certificate. */
export const CA = 'clouds-ca.pem';

/** One application: how it finds its database, and what it wrote. */
export interface ApplicationFiles {
  readonly name: string;
  readonly connectionFile: string;
  readonly options: string;
  readonly ledger: string;
}

export interface CloudsDemoFiles {
  readonly folder: string;
  readonly config: string;
  readonly report: string;
  /** It finds its database by its own name in DNS. */
  readonly stock: ApplicationFiles;
  /** It finds its database in a secret. */
  readonly reports: ApplicationFiles;
  log(name: string): string;
}

export async function prepareCloudsDemoFiles(stateDir: string): Promise<CloudsDemoFiles> {
  const folder = join(stateDir, 'demo');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const application = (name: string): ApplicationFiles => ({
    name,
    connectionFile: join(folder, `${name}.connection`),
    options: join(folder, `${name}.json`),
    ledger: join(folder, `${name}.ledger.jsonl`),
  });
  return {
    folder,
    config: join(folder, 'skyferry.yaml'),
    report: join(folder, 'report.html'),
    stock: application('stock-app'),
    reports: application('reports-app'),
    log: (name) => join(folder, `${name}.log`),
  };
}

/** Generated once for this sandbox; the configuration names the files that hold them. */
export async function scenePasswords(secrets: SecretsFolder): Promise<ScenePasswords> {
  await secrets.password('azure-admin');
  return {
    master: await secrets.password('rds-master'),
    migration: await secrets.password('migration'),
    fence: await secrets.password('fence'),
    app: await secrets.password('app'),
    reports: await secrets.password('reports'),
    replication: await secrets.password('replication'),
  };
}

export async function writeApplicationFiles(
  files: CloudsDemoFiles,
  { caFile }: RunningClouds,
  { host, port }: Scene,
  secrets: SecretsFolder,
  { rate, seed }: { readonly rate: number; readonly seed: number },
): Promise<void> {
  await secrets.write(CA, await readFile(caFile, 'utf8'));
  await writeFile(files.stock.connectionFile, `mysql://app@${RECORD}.${ZONE}:${port}\n`);
  await writeFile(files.reports.connectionFile, `mysql://reports@${host}:${port}\n`);
  const applications = [
    { files: files.stock, password: 'app', sessions: 3, rate, seed },
    { files: files.reports, password: 'reports', sessions: 1, rate: rate / 5, seed: seed + 1 },
  ];
  for (const { files: own, password, ...options } of applications) {
    await writeFile(
      own.options,
      JSON.stringify({
        connectionFile: own.connectionFile,
        passwordFile: join(secrets.path, password),
        caFile,
        // The vendors' certificates do not name a customer's own alias.
        verifyIdentity: own !== files.stock,
        ledgerFile: own.ledger,
        ...options,
      }),
    );
  }
}

/** As a user would write it; read back through the same door as a user's. */
export async function writeCloudsConfig(
  files: CloudsDemoFiles,
  scene: Scene,
  engine: Engine,
  { alike = false }: { readonly alike?: boolean } = {},
): Promise<MigrationConfig> {
  const ca = `\${file:${CA}}`;
  const text = stringify({
    name: CLOUDS_MIGRATION,
    source: {
      kind: 'rds-mysql',
      region: scene.region,
      instance: INSTANCE,
      user: 'skyferry',
      password: '${file:migration}',
      tls: { ca },
      fence: { user: 'skyferry_fence', password: '${file:fence}' },
    },
    target: {
      kind: 'azure-mysql-flexible',
      subscription: sandboxPrincipal.subscription,
      resourceGroup: 'stock',
      server: AZURE_SERVER,
      user: AZURE_ADMIN,
      password: '${file:azure-admin}',
      tls: { ca },
      create: {
        location: 'germanywestcentral',
        version: '8.0.21',
        storageGb: 128,
        network: { access: 'public' },
        // Azure replicates into a server with a standby by GTID only: it comes after the migration then.
        highAvailability: alike || engine === 'native' ? 'disabled' : 'same-zone',
      },
      ...sizes(alike || engine === 'azure-dms'),
      firewall: {
        worker: '203.0.113.7',
        consumers: [{ name: 'applications', from: '203.0.113.16', to: '203.0.113.31' }],
      },
    },
    schemas: scene.schemas,
    ...engineSettings(engine, scene),
    cutover: {
      lagThreshold: '2s',
      lagSamples: 3,
      downtimeBudget: '60s',
      fence: 'account-lock',
      applicationAccounts: [
        { user: 'app', password: '${file:app}' },
        { user: 'reports', password: '${file:reports}' },
      ],
      switches: [
        {
          consumer: 'stock-app',
          kind: 'route53',
          zoneId: scene.zoneId,
          zone: ZONE,
          record: RECORD,
          from: scene.host,
          to: TARGET_HOST,
          ttl: 1,
          account: { user: 'app', password: '${file:app}' },
        },
        {
          consumer: 'reports-app',
          kind: 'aws-secret',
          region: scene.region,
          secret: SECRET,
          from: scene.host,
          to: TARGET_HOST,
          account: { user: 'reports', password: '${file:reports}' },
        },
      ],
    },
    limits: { chunkRows: 2000, copyParallel: 2 },
  });
  await writeFile(files.config, text);
  return parseConfigText(files.config, text);
}

const SUBNET = `/subscriptions/${sandboxPrincipal.subscription}/resourceGroups/stock/providers/Microsoft.Network/virtualNetworks/stock/subnets/migration`;

function engineSettings(engine: Engine, { superuser }: Scene) {
  switch (engine) {
    case 'built-in':
      return { engine };
    case 'native':
      return {
        engine,
        native: {
          account: { user: REPLICATION_USER, password: '${file:replication}' },
          // The sandbox's servers ask no name server that knows the clouds' names.
          sourceHost: superuser.host,
        },
      };
    case 'azure-dms':
      return { engine, azureDms: { subnet: SUBNET } };
  }
}

/** A restart before the window would end the task of Azure's service: one compute size for all then. */
function sizes(one: boolean) {
  return one
    ? { sku: { run: 'Standard_D2ds_v4' }, iops: { load: 3200, run: 3000 } }
    : {
        sku: { load: 'Standard_D8ds_v4', run: 'Standard_D2ds_v4' },
        iops: { load: 6000, run: 3000 },
      };
}
