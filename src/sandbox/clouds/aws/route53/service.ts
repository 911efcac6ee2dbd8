import { randomBytes } from 'node:crypto';
import type { CloudContext, CloudRequest, CloudResponse, CloudService, Fault } from '../../service.ts';
import type { Denied } from '../identity.ts';
import { authorize, expiredToken } from '../identity.ts';
import type { Change, RecordSet } from './record-sets.ts';
import { absolute, applyChanges, inOrder, servedRecords, sortKey, sortKeyOf, text } from './record-sets.ts'; // prettier-ignore
import type { Xml } from './rest-xml.ts';
import { Refusal, readXml, xmlError, xmlResponse } from './rest-xml.ts';
import type { Shape } from '../schema.ts';
import { operationShapes } from '../schema.ts';

const VERSION = '2013-04-01';
/** How long a change stays PENDING, and is not served yet. */
const PROPAGATION_MS = 400;
const PAGE = 300;

interface Zone {
  readonly name: string;
  readonly callerReference: string;
  recordSets: RecordSet[];
}

interface ChangeInfo {
  readonly submittedAt: string;
  /** Epoch milliseconds. */
  readonly inSyncAt: number;
}

interface State {
  readonly zones: Record<string, Zone>;
  readonly changes: Record<string, ChangeInfo>;
}

interface Operation {
  readonly name: string;
  /** Of IAM; `*` where there is no single resource. */
  readonly resource: string;
  readonly run: () => Promise<CloudResponse>;
}

/** Route 53: hosted zones, their record sets changed in batches, and how far a change has got. */
export async function createRoute53(context: CloudContext): Promise<CloudService> {
  const { faults, names } = context;
  const state = await context.store<State>('route53', { zones: {}, changes: {} });
  const inputs = await loadInputs();
  const timers = new Set<NodeJS.Timeout>();
  const publish = ({ name, recordSets }: Zone): void => {
    names.setZone(name, servedRecords(recordSets));
  };
  for (const zone of Object.values(state.value.zones)) publish(zone);

  const zoneOf = (id: string): Zone => {
    const zone = state.value.zones[id];
    if (zone === undefined) {
      throw new Refusal(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${id}`);
    }
    return zone;
  };

  const changed = async (zone: Zone): Promise<Xml> => {
    const id = `C${randomId(20)}`;
    const [now, served] = [Date.now(), { name: zone.name, recordSets: [...zone.recordSets] }];
    state.value.changes[id] = {
      submittedAt: new Date(now).toISOString(),
      inSyncAt: now + PROPAGATION_MS,
    };
    await state.save();
    const timer = setTimeout(() => {
      timers.delete(timer);
      names.setZone(served.name, servedRecords(served.recordSets));
    }, PROPAGATION_MS);
    timers.add(timer);
    return changeInfo(id);
  };

  const changeInfo = (id: string): Xml => {
    const change = state.value.changes[id];
    if (change === undefined) {
      throw new Refusal(404, 'NoSuchChange', `A change could not be found with ID: ${id}`);
    }
    const status = Date.now() >= change.inSyncAt ? 'INSYNC' : 'PENDING';
    return { Id: `/change/${id}`, Status: status, SubmittedAt: change.submittedAt };
  };

  const createZone = async (request: CloudRequest): Promise<CloudResponse> => {
    const input = readXml(request.body, 'CreateHostedZoneRequest', inputs.createHostedZone);
    const [name, callerReference] = [absolute(text(input, 'Name')), text(input, 'CallerReference')];
    if (Object.values(state.value.zones).some((z) => z.callerReference === callerReference)) {
      throw new Refusal(409, 'HostedZoneAlreadyExists', 'A hosted zone has already been created with the specified caller reference.'); // prettier-ignore
    }
    const id = `Z${randomId(20)}`;
    const zone: Zone = { name, callerReference, recordSets: [] };
    state.value.zones[id] = zone;
    publish(zone);
    const info = await changed(zone);
    const content = { HostedZone: describeZone(id, zone), ChangeInfo: info, ...delegation(name) };
    const location = `/${VERSION}/hostedzone/${id}`;
    return xmlResponse('CreateHostedZoneResponse', content, { status: 201, headers: { location } });
  };

  const changeRecordSets = async (request: CloudRequest, id: string): Promise<CloudResponse> => {
    const zone = zoneOf(id);
    const input = readXml(request.body, 'ChangeResourceRecordSetsRequest', inputs.changeRecordSets);
    zone.recordSets = applyChanges(zone.name, zone.recordSets, changesOf(input));
    return xmlResponse('ChangeResourceRecordSetsResponse', { ChangeInfo: await changed(zone) });
  };

  const operationOf = (request: CloudRequest): Operation => {
    const { method, path } = request;
    const [, , kind, id, sub] = path.replace(/\/$/, '').split('/');
    const zoneArn = `arn:aws:route53:::hostedzone/${id}`;
    if (method === 'POST' && kind === 'hostedzone' && id === undefined) {
      return { name: 'CreateHostedZone', resource: '*', run: () => createZone(request) };
    }
    if (kind === 'hostedzone' && id !== undefined && sub === 'rrset') {
      return method === 'POST'
        ? {
            name: 'ChangeResourceRecordSets',
            resource: zoneArn,
            run: () => changeRecordSets(request, id),
          }
        : {
            name: 'ListResourceRecordSets',
            resource: zoneArn,
            run: async () => listRecordSets(zoneOf(id), request.query),
          };
    }
    if (method === 'GET' && kind === 'hostedzone' && id !== undefined && sub === undefined) {
      const run = async (): Promise<CloudResponse> => {
        const content = {
          HostedZone: describeZone(id, zoneOf(id)),
          ...delegation(zoneOf(id).name),
        };
        return xmlResponse('GetHostedZoneResponse', content);
      };
      return { name: 'GetHostedZone', resource: zoneArn, run };
    }
    if (method === 'GET' && kind === 'change' && id !== undefined) {
      const run = async () => xmlResponse('GetChangeResponse', { ChangeInfo: changeInfo(id) });
      return { name: 'GetChange', resource: `arn:aws:route53:::change/${id}`, run };
    }
    throw new Refusal(404, 'UnknownOperationException', `${method} ${path} is not known here`);
  };

  return {
    name: 'route53',
    matches: ({ path }) => path.startsWith(`/${VERSION}/`),
    async answer(request) {
      try {
        const { name, resource, run } = operationOf(request);
        const fault = faults.take('route53', name);
        const denied = authorize(request, 'route53', name, resource);
        if (denied !== null) return deny(denied);
        return fault === null ? await run() : renderFault(fault);
      } catch (error) {
        if (error instanceof Refusal) return xmlError(error.status, error.code, error.message);
        throw error;
      }
    },
    async close() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** From the model that the vendor's package exports. */
async function loadInputs(): Promise<{ changeRecordSets: Shape; createHostedZone: Shape }> {
  const model: Readonly<Record<string, unknown>> = await import('@aws-sdk/client-route-53');
  const input = (operation: string): Shape => {
    const shapes = operationShapes(model, operation);
    if (shapes === null) throw new TypeError(`the package does not know ${operation}`);
    return shapes.input;
  };
  return {
    changeRecordSets: input('ChangeResourceRecordSets'),
    createHostedZone: input('CreateHostedZone'),
  };
}

function changesOf(input: RecordSet): Change[] {
  const { Changes: changes } = input['ChangeBatch'] as { Changes: readonly RecordSet[] };
  return changes.map((change) => {
    const action = text(change, 'Action');
    if (!['CREATE', 'DELETE', 'UPSERT'].includes(action)) {
      throw new Refusal(400, 'InvalidInput', `Invalid action ${action}`);
    }
    return { action, recordSet: change['ResourceRecordSet'] as RecordSet };
  });
}

function listRecordSets({ recordSets }: Zone, query: URLSearchParams): CloudResponse {
  const [name, type] = [query.get('name'), query.get('type')];
  if (type !== null && name === null) {
    throw new Refusal(400, 'InvalidInput', 'The parameter type requires name');
  }
  const from = name === null ? '' : sortKeyOf(name, type ?? '', query.get('identifier') ?? '');
  const maxItems = Math.min(Number(query.get('maxitems') ?? PAGE), PAGE);
  const rest = inOrder(recordSets).filter((each) => sortKey(each) >= from);
  const [page, next] = [rest.slice(0, maxItems), rest[maxItems]];
  return xmlResponse('ListResourceRecordSetsResponse', {
    ResourceRecordSets: { ResourceRecordSet: page.map(asXml) },
    IsTruncated: String(next !== undefined),
    MaxItems: String(maxItems),
    ...(next !== undefined && {
      NextRecordName: text(next, 'Name'),
      NextRecordType: text(next, 'Type'),
      ...(next['SetIdentifier'] !== undefined && {
        NextRecordIdentifier: text(next, 'SetIdentifier'),
      }),
    }),
  });
}

function asXml(recordSet: RecordSet): Xml {
  const records = recordSet['ResourceRecords'];
  return records === undefined
    ? recordSet
    : { ...recordSet, ResourceRecords: { ResourceRecord: records } };
}

function describeZone(id: string, { name, callerReference, recordSets }: Zone): Xml {
  return {
    Id: `/hostedzone/${id}`,
    Name: name,
    CallerReference: callerReference,
    Config: { PrivateZone: 'false' },
    ResourceRecordSetCount: String(recordSets.length),
  };
}

function delegation(zone: string) {
  return { DelegationSet: { NameServers: { NameServer: [`ns1.${zone.slice(0, -1)}`] } } };
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

function randomId(length: number): string {
  return randomBytes(length).toString('hex').slice(0, length).toUpperCase();
}
