import { z } from 'zod';
import type { CloudContext, CloudService } from '../../service.ts';
import { createDnsProvider } from './provider.ts';

const readOnly = z.unknown().optional();
const resource = { id: readOnly, name: readOnly, type: readOnly };

/** `RecordSet` of specification/privatedns, 2020-06-01: spelled otherwise than the public one, without aliases. */
const recordSetSchema = z.strictObject({
  ...resource,
  etag: z.string().optional(),
  properties: z
    .strictObject({
      metadata: z.record(z.string(), z.string()).optional(),
      ttl: z.int().min(1).max(2_147_483_647).optional(),
      fqdn: readOnly,
      isAutoRegistered: readOnly,
      aRecords: z.array(z.strictObject({ ipv4Address: z.ipv4() })).optional(),
      cnameRecord: z.strictObject({ cname: z.string().min(1) }).optional(),
      txtRecords: z.array(z.strictObject({ value: z.array(z.string().max(1024)) })).optional(),
    })
    .optional(),
});

const zoneSchema = z.strictObject({
  ...resource,
  location: z.literal('global'),
  tags: z.record(z.string(), z.string()).optional(),
  etag: z.string().optional(),
  properties: z.strictObject({}).optional(),
});

/** Azure private DNS: zones that only linked networks see. The sandbox's name server is inside. */
export async function createAzurePrivateDns(context: CloudContext): Promise<CloudService> {
  return await createDnsProvider(context, {
    type: 'privateDnsZones',
    apiVersion: '2020-06-01',
    zoneOperations: 'PrivateZones',
    zoneSchema,
    recordSetSchema,
    zoneProperties: () => ({ maxNumberOfRecordSets: 25_000, provisioningState: 'Succeeded' }),
    recordProperties: { isAutoRegistered: false },
    ttl: 'ttl',
    records: { A: 'aRecords', CNAME: 'cnameRecord', TXT: 'txtRecords' },
  });
}
