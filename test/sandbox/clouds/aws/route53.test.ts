import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
} from '@aws-sdk/client-route-53';
import type { Change, ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAwsClients } from '../../../../src/clouds/aws/clients.ts';
import { askServer } from '../../../../src/clouds/dns/ask.ts';
import { sandboxUsers } from '../../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';

let clouds: TestClouds;
let client: Route53Client;
let zoneId = '';
let zone = '';
let zones = 0;

beforeAll(async () => {
  clouds = await startClouds();
  client = await createAwsClients(administrator()).route53();
}, 60_000);
afterAll(async () => await clouds.stop());

function administrator() {
  const { accessKeyId, secretAccessKey } = sandboxUsers.administrator;
  const env = {
    ...clouds.env,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  return { env, ca: clouds.ca };
}

beforeEach(async () => {
  zone = `z${zones++}.example`;
  const { HostedZone } = await client.send(
    new CreateHostedZoneCommand({ Name: zone, CallerReference: zone }),
  );
  zoneId = (HostedZone?.Id ?? '').replace('/hostedzone/', '');
});

const cname = (data: string, more: Partial<ResourceRecordSet> = {}): ResourceRecordSet => ({
  Name: `db.${zone}`,
  Type: 'CNAME',
  TTL: 300,
  ResourceRecords: [{ Value: data }],
  ...more,
});
const change = async (...changes: [Change['Action'], ResourceRecordSet][]) =>
  await client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: {
        Changes: changes.map(([Action, set]) => ({ Action, ResourceRecordSet: set })),
      },
    }),
  );
const list = async () => {
  const command = new ListResourceRecordSetsCommand({ HostedZoneId: zoneId });
  return (await client.send(command)).ResourceRecordSets ?? [];
};
const served = async () => {
  const [host = '', port] = (clouds.env['SKYFERRY_DNS_SERVERS'] ?? '').split(':');
  const question = { name: `db.${zone}`, type: 'CNAME' } as const;
  const reply = await askServer(
    { host, port: Number(port) },
    question,
    AbortSignal.timeout(10_000),
  );
  return reply.answers.map((answer) => (answer.type === 'CNAME' ? answer.data : answer.type));
};
const insync = async (id: string | undefined) => {
  for (;;) {
    const { ChangeInfo } = await client.send(new GetChangeCommand({ Id: id }));
    if (ChangeInfo?.Status === 'INSYNC') return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

describe('the sandbox’s Route 53, through the SDK', () => {
  test('serves a change from INSYNC on, and no earlier', async () => {
    const { ChangeInfo } = await change(['CREATE', cname('old.example')]);
    expect(ChangeInfo?.Status).toBe('PENDING');
    expect(await served()).toEqual([]);
    await insync(ChangeInfo?.Id);
    await expect.poll(served).toEqual(['old.example']);
    expect(await list()).toEqual([
      {
        Name: `db.${zone}.`,
        Type: 'CNAME',
        TTL: 300,
        ResourceRecords: [{ Value: 'old.example' }],
      },
    ]);
  });

  test('takes a DELETE of exactly what is there, and a batch as a whole or not at all', async () => {
    await change(['CREATE', cname('old.example')]);
    const stale = change(
      ['DELETE', cname('old.example', { TTL: 60 })],
      ['CREATE', cname('new.example')],
    );
    await expect(stale).rejects.toMatchObject({ name: 'InvalidChangeBatch' });
    const besides = change(
      ['CREATE', cname('x', { Name: `x.${zone}` })],
      ['CREATE', cname('new.example')],
    );
    await expect(besides).rejects.toThrow(/already exists/);
    expect((await list()).map((set) => set.ResourceRecords)).toEqual([[{ Value: 'old.example' }]]);
    await change(['DELETE', cname('old.example')], ['CREATE', cname('new.example')]);
    expect((await list()).map((set) => set.ResourceRecords)).toEqual([[{ Value: 'new.example' }]]);
  });

  test('refuses what a zone cannot hold', async () => {
    await change(['CREATE', cname('old.example')]);
    const beside = cname('1.2.3.4', { Type: 'A' });
    await expect(change(['CREATE', beside])).rejects.toThrow(/conflicts with other records/);
    const outside = cname('x', { Name: 'db.other.example' });
    await expect(change(['CREATE', outside])).rejects.toThrow(/not permitted in zone/);
    const weighted = cname('x', { SetIdentifier: 'one', Weight: 1 });
    await expect(change(['CREATE', weighted])).rejects.toThrow(/SetIdentifier one cannot/);
  });

  test('refuses what no model of the vendor knows, and who has no right', async () => {
    const path = `/2013-04-01/hostedzone/${zoneId}/rrset`;
    expect((await clouds.fetch(path)).status).toBe(403);
    const limited = await createAwsClients({ env: clouds.env, ca: clouds.ca }).route53();
    const create = new CreateHostedZoneCommand({ Name: 'other.example', CallerReference: 'x' });
    await expect(limited.send(create)).rejects.toMatchObject({ name: 'AccessDenied' });
    const odd = await createAwsClients(administrator()).route53();
    odd.middlewareStack.add(
      (next) => async (args) => {
        const request = args.request as { body: string };
        request.body = request.body.replace('<TTL>', '<Ttl>1</Ttl><TTL>');
        return await next(args);
      },
      { step: 'build', priority: 'high' },
    );
    client = odd;
    await expect(change(['CREATE', cname('x')])).rejects.toThrow(/unknown element Ttl/);
    client = await createAwsClients(administrator()).route53();
    const missing = new ListResourceRecordSetsCommand({ HostedZoneId: 'Z0' });
    await expect(client.send(missing)).rejects.toMatchObject({ name: 'NoSuchHostedZone' });
  });

  test('forgets nothing when it is started again', async () => {
    await change(['CREATE', cname('old.example')]);
    await clouds.kill();
    await clouds.restart();
    expect(await list()).toHaveLength(1);
    expect(await served()).toEqual(['old.example']);
  });
});
