import { z } from 'zod';
import { account, region, secret } from './values.ts';

const consumer = {
  consumer: z.string().min(1).max(64).describe('The application whose endpoint is switched'),
  account: account
    .optional()
    .describe('Its account: logged in to the target before the fence and after the switch'),
};

/** It goes into the workflow's history, so nothing secret may be in it. */
const endpointText = z
  .string()
  .min(1)
  .refine((text) => !/\/\/[^/\s]*@|:[^/\s@]*@|password\s*=|pwd\s*=/i.test(text), {
    error: 'must be host:port only: credentials never travel',
  });

const hostName = z.string().regex(/^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?)+$/, { error: 'must be a host name' }); // prettier-ignore
const hostPort = z.string().regex(/^[^\s:]+(:\d{1,5})?$/, { error: 'must be host or host:port' });

/** A CNAME record: the application's own name for its database. */
const cname = {
  zone: hostName,
  record: z.string().min(1).describe('Name of the CNAME within the zone'),
  from: hostName.describe('Where it points now'),
  to: hostName.describe('Where it will point'),
  ttl: z
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('Seconds; lowered to this at least one former TTL before the fence, then put back'),
};

export const switchSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...consumer,
    kind: z.literal('file'),
    path: z.string().min(1).describe('A file, below a directory that the worker was started with'),
    from: endpointText.describe('What the file must hold now, e.g. db-old.internal:3306'),
    to: endpointText.describe('What takes its place'),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('command'),
    command: z.string().min(1).describe("A name from the worker's own commands file"),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('azure-dns'),
    subscription: z.guid(),
    resourceGroup: z.string().min(1),
    ...cname,
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('azure-private-dns'),
    subscription: z.guid(),
    resourceGroup: z.string().min(1),
    ...cname,
    resolver: hostPort.optional().describe('A DNS server inside the network, asked as proof'),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('route53'),
    zoneId: z.string().regex(/^[A-Z0-9]{1,32}$/, { error: 'must be the id of a hosted zone' }),
    ...cname,
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('rfc2136'),
    server: hostPort.describe('The zone’s primary'),
    ...cname,
    key: z
      .strictObject({
        name: z.string().min(1),
        algorithm: z.enum(['hmac-sha256', 'hmac-sha384', 'hmac-sha512']).default('hmac-sha256'),
        secret,
      })
      .optional()
      .describe('TSIG'),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('aws-secret'),
    region,
    secret: z.string().min(1).describe('Name or ARN'),
    from: hostName.describe('What `host` in the secret’s JSON must be now'),
    to: hostName,
    port: z.int().min(1).max(65_535).optional().describe('What `port` becomes'),
  }),
]);
