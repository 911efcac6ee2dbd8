import type { CloudContext, CloudResponse, CloudService, Fault } from '../../service.ts';
import type { Denied } from '../identity.ts';
import { authorize, expiredToken } from '../identity.ts';
import { HostedZones } from './hosted-zones.ts';
import { loadInputs, operationOf, VERSION } from './operations.ts';
import { Refusal, xmlError } from './rest-xml.ts';

/** Route 53: hosted zones, their record sets changed in batches, and how far a change has got. */
export async function createRoute53(context: CloudContext): Promise<CloudService> {
  const zones = await HostedZones.open(context);
  const inputs = await loadInputs();
  return {
    name: 'route53',
    matches: ({ path }) => path.startsWith(`/${VERSION}/`),
    async answer(request) {
      try {
        const { name, resource, run } = operationOf(zones, inputs, request);
        const fault = context.faults.take('route53', name);
        const denied = authorize(request, 'route53', name, resource);
        if (denied !== null) return deny(denied);
        return fault === null ? await run() : renderFault(fault);
      } catch (error) {
        if (error instanceof Refusal) return xmlError(error.status, error.code, error.message);
        throw error;
      }
    },
    async close() {
      zones.close();
    },
  };
}

function deny({ status, code, message }: Denied): CloudResponse {
  return xmlError(status, code, message);
}

function renderFault({ kind, code, retryAfterSeconds = 1 }: Fault): CloudResponse {
  if (kind === 'expired') return deny(expiredToken('route53'));
  if (kind === 'throttle') {
    const headers = { 'retry-after': String(retryAfterSeconds) };
    return xmlError(400, code ?? 'Throttling', 'Rate exceeded', headers);
  }
  if (kind === 'conflict') {
    return xmlError(400, code ?? 'PriorRequestNotComplete', 'The request was rejected because Route 53 was still processing a prior request.'); // prettier-ignore
  }
  return xmlError(500, code ?? 'InternalFailure', 'We encountered an internal error.');
}
