import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import type { AwsClients } from '../../clouds/aws/clients.ts';
import { askAws, isAwsError } from '../../clouds/aws/errors.ts';
import { canonicalName, sameName } from '../../clouds/dns/ask.ts';
import type { DnsLookup } from '../../clouds/dns/authoritative.ts';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import type { CnameRecord, CnameState, TtlMark } from './cname-record.ts';
import { fullName, markText, readMark, spelledLike } from './cname-record.ts';
import { CnameSwitch } from './cname-switch.ts';
import type { Switch } from './switch.ts';

export interface Route53SwitchOptions {
  readonly consumer: string;
  readonly zoneId: string;
  readonly zone: string;
  /** Within the zone. */
  readonly record: string;
  readonly from: string;
  readonly to: string;
  readonly ttl: number;
  readonly clients: Pick<AwsClients, 'route53'>;
  readonly dns: DnsLookup;
}

/** A record set has no metadata: the former TTL stands in a TXT beside it, changed in the same batch. */
const MARK_LABEL = '_skyferry-ttl';
const MARK_TTL = 60;
const IN_SYNC_POLL_MS = 250;
const IN_SYNC_LIMIT_MS = 120_000;

/** The record sets as they were read: a DELETE must repeat every member of what it deletes. */
interface Version {
  readonly cname: ResourceRecordSet;
  readonly mark: ResourceRecordSet | null;
}

/** A CNAME of a hosted zone, replaced by one batch that deletes exactly the old one and creates the new one. */
export function createRoute53Switch(options: Route53SwitchOptions): Switch {
  const { zone, record, zoneId } = options;
  const name = fullName(record, zone);
  return new CnameSwitch(route53Record({ ...options, name, what: `Route 53 record ${name} (zone ${zoneId})` }), { ...options, name }); // prettier-ignore
}

function route53Record({
  clients,
  zoneId,
  zone,
  name,
  what,
  dns,
}: Route53SwitchOptions & { name: string; what: string }): CnameRecord<Version> {
  const markName = `${MARK_LABEL}.${name}`;

  return {
    what,
    async read(signal) {
      const client = await clients.route53();
      const sets = await list(client, name, signal);
      const cname = onlyCname(sets);
      const marks = await list(client, markName, signal);
      const mark = marks.find(({ Type }) => Type === 'TXT') ?? null;
      return {
        value: canonicalName(cname.ResourceRecords?.[0]?.Value ?? ''),
        ttl: cname.TTL ?? 0,
        lowered: readMark(mark?.ResourceRecords?.[0]?.Value?.replaceAll('"', '')),
        version: { cname, mark },
      };
    },
    async replace({ version, lowered }, next, signal) {
      const client = await clients.route53();
      const changes = [
        ...changeOf(version.cname, {
          ...version.cname,
          TTL: next.ttl,
          ResourceRecords: [
            { Value: spelledLike(version.cname.ResourceRecords?.[0]?.Value, next.value) },
          ],
        }),
        ...(sameMark(lowered, next.lowered) ? [] : changeOf(version.mark, markSet(markName, next))),
      ];
      const { ChangeResourceRecordSetsCommand } = await import('@aws-sdk/client-route-53');
      const command = new ChangeResourceRecordSetsCommand({
        HostedZoneId: zoneId,
        ChangeBatch: { Comment: 'skyferry', Changes: changes },
      });
      const id = await askAws(`change ${what}`, signal, async (sending) => {
        try {
          const { ChangeInfo } = await client.send(command, sending);
          return ChangeInfo?.Id ?? null;
        } catch (error) {
          if (isAwsError(error, 'InvalidChangeBatch')) return 'stale' as const;
          throw error;
        }
      });
      if (id === 'stale') return id;
      if (id !== null) await awaitInSync(client, id, signal);
      return 'done';
    },
    served: async (signal) => await dns.askZone(zone, name, signal),
  };

  async function list(
    client: Route53Client,
    start: string,
    signal: AbortSignal,
  ): Promise<ResourceRecordSet[]> {
    const { ListResourceRecordSetsCommand } = await import('@aws-sdk/client-route-53');
    const command = new ListResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      StartRecordName: start,
      MaxItems: 100,
    });
    const { ResourceRecordSets = [] } = await askAws(
      `read ${what}`,
      signal,
      async (sending) => await client.send(command, sending),
    );
    return ResourceRecordSets.filter((set) => sameName(set.Name ?? '', start));
  }

  function onlyCname(sets: readonly ResourceRecordSet[]): ResourceRecordSet {
    const refuse = (why: string, next: string): SkyferryFailure =>
      new SkyferryFailure('SWITCH_FAILED', `${what}: ${why}`, {
        safe: 'the record is unchanged',
        next,
      });
    const simple = 'give the application a simple CNAME record, or switch this one by hand';
    const [first] = sets;
    if (first === undefined) {
      throw refuse('does not exist', 'correct `zoneId`, `zone` and `record` in the configuration');
    }
    const routed = sets.find(({ SetIdentifier }) => SetIdentifier !== undefined);
    if (routed !== undefined) throw refuse(`is ${routingOf(routed)}, not a simple one`, simple);
    if (sets.some(({ AliasTarget }) => AliasTarget !== undefined)) {
      throw refuse('is an alias record, which has no value of its own', simple);
    }
    if (sets.some(({ TrafficPolicyInstanceId }) => TrafficPolicyInstanceId !== undefined)) {
      throw refuse('is kept by a traffic policy', simple);
    }
    const cname = sets.find(({ Type }) => Type === 'CNAME');
    if (cname === undefined) throw refuse(`is of type ${first.Type}, not a CNAME`, simple);
    return cname;
  }
}

/** Which routing policy it is, in the vendor's words. */
function routingOf(set: ResourceRecordSet): string {
  if (set.Weight !== undefined) return 'a weighted record';
  if (set.Failover !== undefined) return 'a failover record';
  if (set.Region !== undefined) return 'a latency record';
  if (set.GeoLocation !== undefined) return 'a geolocation record';
  if (set.GeoProximityLocation !== undefined) return 'a geoproximity record';
  if (set.MultiValueAnswer !== undefined) return 'a multivalue answer record';
  return 'an IP-based routing record';
}

/** Only if what is there is still exactly `before`, it gives way to `after`. */
function changeOf(before: ResourceRecordSet | null, after: ResourceRecordSet | null): Change[] {
  return [
    ...(before === null ? [] : [{ Action: 'DELETE', ResourceRecordSet: before } as const]),
    ...(after === null ? [] : [{ Action: 'CREATE', ResourceRecordSet: after } as const]),
  ];
}

function markSet(
  name: string,
  { lowered }: Pick<CnameState<Version>, 'lowered'>,
): ResourceRecordSet | null {
  if (lowered === null) return null;
  const value = `"${markText(lowered)}"`;
  return { Name: name, Type: 'TXT', TTL: MARK_TTL, ResourceRecords: [{ Value: value }] };
}

function sameMark(a: TtlMark | null, b: TtlMark | null): boolean {
  return a?.formerTtl === b?.formerTtl && a?.since === b?.since;
}

/**
 * Until every one of the vendor's servers has it. The change itself is done: what goes wrong here is no
 * failure of it, and the servers are asked themselves afterwards.
 */
async function awaitInSync(client: Route53Client, id: string, signal: AbortSignal): Promise<void> {
  const { GetChangeCommand } = await import('@aws-sdk/client-route-53');
  const deadline = Date.now() + IN_SYNC_LIMIT_MS;
  while (Date.now() < deadline) {
    try {
      const { ChangeInfo } = await askAws(
        'ask whether the change is everywhere',
        signal,
        async (sending) => await client.send(new GetChangeCommand({ Id: id }), sending),
      );
      if (ChangeInfo?.Status === 'INSYNC') return;
    } catch (error) {
      if (!isFailure(error, 'CLOUD_BUSY')) {
        signal.throwIfAborted();
        return;
      }
    }
    await sleep(IN_SYNC_POLL_MS, undefined, { signal });
  }
}
