import { z } from 'zod';
import type { CloudContext, CloudService } from '../../service.ts';
import { createDnsProvider } from './provider.ts';

const readOnly = z.unknown().optional();
const resource = { id: readOnly, name: readOnly, type: readOnly };
const target = z.strictObject({ id: z.string().optional() });

/** `RecordSet` of specification/dns, 2018-05-01, as far as the types that are served here go. */
const recordSetSchema = z.strictObject({
  ...resource,
  etag: z.string().optional(),
  properties: z
    .strictObject({
      metadata: z.record(z.string(), z.string()).optional(),
      TTL: z.int().min(1).max(2_147_483_647).optional(),
      fqdn: readOnly,
      provisioningState: readOnly,
      targetResource: target.optional(),
      ARecords: z.array(z.strictObject({ ipv4Address: z.ipv4() })).optional(),
      CNAMERecord: z.strictObject({ cname: z.string().min(1) }).optional(),
      TXTRecords: z.array(z.strictObject({ value: z.array(z.string().max(1024)) })).optional(),
    })
    .optional(),
});

const zoneSchema = z.strictObject({
  ...resource,
  location: z.literal('global'),
  tags: z.record(z.string(), z.string()).optional(),
  etag: z.string().optional(),
  properties: z.strictObject({ zoneType: z.literal('Public').optional() }).optional(),
});

/** Azure DNS: public zones. */
export async function createAzureDns(context: CloudContext): Promise<CloudService> {
  return await createDnsProvider(context, {
    type: 'dnsZones',
    apiVersion: '2018-05-01',
    zoneOperations: 'Zones',
    zoneSchema,
    recordSetSchema,
    zoneProperties: (name) => ({
      maxNumberOfRecordSets: 10_000,
      nameServers: [`ns1.${name}.`],
      zoneType: 'Public',
    }),
    recordProperties: { provisioningState: 'Succeeded', targetResource: {} },
    ttl: 'TTL',
    records: { A: 'ARecords', CNAME: 'CNAMERecord', TXT: 'TXTRecords' },
  });
}
