import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../cache.ts';
import { freePort } from '../process/free-port.ts';
import type { Life } from '../process/launch.ts';
import { resolveMysqld } from '../resolver/resolve.ts';
import type { Authority } from '../servers/certificates.ts';
import { createLastingAuthority, openAuthority } from '../servers/certificates.ts';
import type { AddressBlock } from './address-block.ts';
import { chooseAddressBlock } from './address-block.ts';
import { sandboxUsers } from './aws/identity.ts';
import { sandboxPrincipal } from './azure/principal.ts';
import { FaultQueue } from './faults.ts';
import { openGateway } from './gateway.ts';
import { startNameServer } from './name-server.ts';
import type { FleetState } from './fleet.ts';
import { SandboxFleet } from './fleet.ts';
import { openServices } from './services.ts';
import { storesIn } from './stores.ts';

/** Where the clouds' MySQL servers listen, each on an address of its own. */
const MYSQL_PORT = 3306;
const REGION = 'eu-central-1';

export interface CloudsOptions {
  /** Holds all state; the same folder again resumes it. */
  readonly folder: string;
  /** `bound`: the servers end with this process, however it ends. */
  readonly life: Life['mode'];
  /** A line for people. */
  readonly progress?: (line: string) => void;
}

export interface Clouds {
  readonly url: string;
  /** PEM file of the authority that signed what the clouds and their servers show. */
  readonly caFile: string;
  /** What a process needs to work with these clouds instead of the real ones. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends at once, as if killed: whatever was under way goes on after the next start. */
  abandon(): Promise<void>;
  /** Shuts the servers down too; they run again after the next start. */
  close(): Promise<void>;
}

interface Kept {
  readonly gatewayPort: number;
  readonly block: AddressBlock;
  /** 0 before the first start of the name server. */
  namesPort: number;
}

/** Starts the fake clouds in this process, or resumes them with everything that they had. */
export async function openClouds({ folder, life, progress }: CloudsOptions): Promise<Clouds> {
  const root = resolve(folder);
  const store = storesIn(join(root, 'state'));
  const kept = await store<Kept>('clouds', {
    gatewayPort: await freePort(),
    block: await chooseAddressBlock(MYSQL_PORT),
    namesPort: 0,
  });
  const program = await resolveMysqld(progress === undefined ? {} : { progress });
  const { authority, caFile } = await ensureAuthority(root);
  const names = await startNameServer({ port: kept.value.namesPort });
  kept.value.namesPort = Number(names.address.split(':')[1]);
  await kept.save();
  const fleet = new SandboxFleet({
    folder: join(root, 'servers'),
    store: await store<FleetState>('servers', { servers: {} }),
    block: kept.value.block,
    authority,
    names,
    program,
    cache: cacheFolder(),
    life,
  });
  await fleet.resume();
  const faults = new FaultQueue();
  const services = await openServices({
    store,
    faults,
    servers: fleet,
    names,
    region: REGION,
    ca: authority.certificate,
  });
  const gateway = await openGateway({
    services,
    faults,
    ...(await authority.issue(['localhost'])),
    port: kept.value.gatewayPort,
    requestLog: join(root, 'requests.jsonl'),
  });
  const abandon = async () => {
    await gateway.close();
    await Promise.all(services.map(async (service) => service.close?.()));
    await names.close();
  };
  return {
    url: gateway.url,
    caFile,
    env: environment(gateway.url, names.address, caFile),
    abandon,
    close: async () => {
      await abandon();
      await fleet.close();
    },
  };
}

function environment(url: string, dns: string, caFile: string): Record<string, string> {
  const { accessKeyId, secretAccessKey } = sandboxUsers.skyferry;
  const { tenant, client, secret } = sandboxPrincipal;
  return {
    AWS_ENDPOINT_URL_RDS: url,
    AWS_ENDPOINT_URL_ROUTE_53: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    AWS_ENDPOINT_URL_CLOUDWATCH: url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    SKYFERRY_AZURE_ENDPOINT: url,
    AZURE_AUTHORITY_HOST: url,
    AZURE_TENANT_ID: tenant,
    AZURE_CLIENT_ID: client,
    AZURE_CLIENT_SECRET: secret,
    SKYFERRY_DNS_SERVERS: dns,
    NODE_EXTRA_CA_CERTS: caFile,
  };
}

/** It signs certificates of servers to come as well, so its key is kept. */
async function ensureAuthority(root: string): Promise<{ authority: Authority; caFile: string }> {
  const folder = join(root, 'authority');
  const caFile = join(folder, 'ca.pem');
  const keyFile = join(folder, 'ca-key.pem');
  if (existsSync(caFile)) {
    const [certificate, key] = await Promise.all([
      readFile(caFile, 'utf8'),
      readFile(keyFile, 'utf8'),
    ]);
    return { authority: await openAuthority(certificate, key), caFile };
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { authority, key } = await createLastingAuthority('Skyferry sandbox clouds');
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(caFile, authority.certificate, { mode: 0o600 });
  return { authority, caFile };
}
