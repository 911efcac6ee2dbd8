import type { AwsClients } from './aws/clients.ts';
import { createAwsClients } from './aws/clients.ts';
import type { AzureClients } from './azure/clients.ts';
import { createAzureClients } from './azure/clients.ts';
import type { DnsLookup } from './dns/authoritative.ts';
import { createDnsLookup } from './dns/authoritative.ts';

/** Ways to the clouds. An SDK is loaded, and a login asked for, when it is first used. */
export interface Clouds {
  readonly aws: AwsClients;
  readonly azure: AzureClients;
  readonly dns: DnsLookup;
}

/** @param given.ca PEM of the authority of the clouds' endpoints; without it the system's count */
export function createClouds(given: { env: NodeJS.ProcessEnv; ca?: string }): Clouds {
  return {
    aws: createAwsClients(given),
    azure: createAzureClients(given),
    dns: createDnsLookup(given),
  };
}
