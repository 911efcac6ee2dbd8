import type { CloudRequest, CloudResponse } from '../../service.ts';
import type { Shape } from '../schema.ts';
import { operationShapes } from '../schema.ts';
import type { HostedZones, Zone, ZoneChange } from './hosted-zones.ts';
import type { Change, RecordSet } from './record-sets.ts';
import { absolute, inOrder, sortKey, sortKeyOf, text } from './record-sets.ts';
import type { Xml } from './rest-xml.ts';
import { Refusal, readXml, xmlResponse } from './rest-xml.ts';

/** The beginning of every path. */
export const VERSION = '2013-04-01';
const PAGE = 300;

export interface Operation {
  readonly name: string;
  /** Of IAM; `*` where there is no single resource. */
  readonly resource: string;
  readonly run: () => Promise<CloudResponse>;
}

/** The vendor's own model of what it is sent. */
export interface Inputs {
  readonly changeRecordSets: Shape;
  readonly createHostedZone: Shape;
}

/** @throws Refusal UnknownOperationException */
export function operationOf(zones: HostedZones, inputs: Inputs, request: CloudRequest): Operation {
  const { method, path, query } = request;
  const [, , kind, id, sub] = path.replace(/\/$/, '').split('/');
  if (method === 'POST' && kind === 'hostedzone' && id === undefined) {
    const run = () => createZone(zones, inputs, request);
    return { name: 'CreateHostedZone', resource: '*', run };
  }
  if (kind === 'hostedzone' && id !== undefined) {
    const resource = `arn:aws:route53:::hostedzone/${id}`;
    if (method === 'POST' && sub === 'rrset') {
      const run = () => changeRecordSets(zones, inputs, request, id);
      return { name: 'ChangeResourceRecordSets', resource, run };
    }
    if (sub === 'rrset') {
      const run = async () => listRecordSets(zones.find(id), query);
      return { name: 'ListResourceRecordSets', resource, run };
    }
    if (method === 'GET' && sub === undefined) {
      const run = async () => showZone(id, zones.find(id));
      return { name: 'GetHostedZone', resource, run };
    }
  }
  if (method === 'GET' && kind === 'change' && id !== undefined) {
    const run = async () =>
      xmlResponse('GetChangeResponse', { ChangeInfo: changeInfo(zones.change(id)) });
    return { name: 'GetChange', resource: `arn:aws:route53:::change/${id}`, run };
  }
  throw new Refusal(404, 'UnknownOperationException', `${method} ${path} is not known here`);
}

/** From the model that the vendor's package exports. */
export async function loadInputs(): Promise<Inputs> {
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

async function createZone(
  zones: HostedZones,
  { createHostedZone }: Inputs,
  { body }: CloudRequest,
): Promise<CloudResponse> {
  const input = readXml(body, 'CreateHostedZoneRequest', createHostedZone);
  const name = absolute(text(input, 'Name'));
  const { id, zone, change } = await zones.create(name, text(input, 'CallerReference'));
  const content = {
    HostedZone: describeZone(id, zone),
    ChangeInfo: changeInfo(change),
    ...delegation(name),
  };
  const location = `/${VERSION}/hostedzone/${id}`;
  return xmlResponse('CreateHostedZoneResponse', content, { status: 201, headers: { location } });
}

async function changeRecordSets(
  zones: HostedZones,
  inputs: Inputs,
  { body }: CloudRequest,
  id: string,
): Promise<CloudResponse> {
  const zone = zones.find(id);
  const input = readXml(body, 'ChangeResourceRecordSetsRequest', inputs.changeRecordSets);
  const change = await zones.changeRecords(zone, changesOf(input));
  return xmlResponse('ChangeResourceRecordSetsResponse', { ChangeInfo: changeInfo(change) });
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

function showZone(id: string, zone: Zone): CloudResponse {
  const content = { HostedZone: describeZone(id, zone), ...delegation(zone.name) };
  return xmlResponse('GetHostedZoneResponse', content);
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

function changeInfo({ id, status, submittedAt }: ZoneChange): Xml {
  return { Id: `/change/${id}`, Status: status, SubmittedAt: submittedAt };
}
