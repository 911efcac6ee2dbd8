import { createRoute53 } from './aws/route53.ts';
import { createSecretsManagerService } from './aws/secrets-manager.ts';
import { createEntraService } from './azure/entra.ts';
import type { CloudContext, CloudService } from './service.ts';

type Factory = (context: CloudContext) => Promise<CloudService>;

const factories: readonly Factory[] = [
  createEntraService,
  createSecretsManagerService,
  createRoute53,
];

/** Every service of the sandbox's clouds, resuming what its stores hold. */
export function openServices(context: CloudContext): Promise<CloudService[]> {
  return Promise.all(factories.map((create) => create(context)));
}
