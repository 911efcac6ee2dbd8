import { NAMESPACE } from './schemas.ts';
import type { KeptService, ServiceState } from './state.ts';
import { etagOf, serviceId } from './state.ts';

/** So long a new service is `Accepted`, then `Deploying`. */
const ACCEPTED_MS = 200;

export function stateOf({ state, createdAt }: KeptService): ServiceState {
  const accepted = Date.now() - Date.parse(createdAt) < ACCEPTED_MS;
  return state === 'Accepted' && !accepted ? 'Deploying' : state;
}

export function serviceView(service: KeptService): unknown {
  const { name, location, tags, sku, subnet, nic } = service;
  const view = {
    id: serviceId(service),
    name,
    type: `${NAMESPACE}/services`,
    location,
    tags,
    kind: 'vm',
    sku,
    properties: {
      provisioningState: stateOf(service),
      virtualSubnetId: subnet,
      ...(nic !== null && { virtualNicId: nic }),
    },
  };
  return { ...view, etag: etagOf(view) };
}
