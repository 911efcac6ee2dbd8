import { createRoute53 } from './aws/route53.ts';
import type { CloudContext, CloudService } from './service.ts';

type Factory = (context: CloudContext) => Promise<CloudService>;

const factories: readonly Factory[] = [createRoute53];

/** Every service of the sandbox's clouds, resuming what its stores hold. */
export function openServices(context: CloudContext): Promise<CloudService[]> {
  return Promise.all(factories.map((create) => create(context)));
}
