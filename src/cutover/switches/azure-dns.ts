import type { AzureClients } from '../../clouds/azure/clients.ts';
import type { DnsLookup } from '../../clouds/dns/authoritative.ts';
import { azureCname } from './azure-cname.ts';
import { fullName } from './cname-record.ts';
import { CnameSwitch } from './cname-switch.ts';
import type { Switch } from './switch.ts';

export interface AzureDnsSwitchOptions {
  readonly consumer: string;
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly zone: string;
  /** Within the zone. */
  readonly record: string;
  readonly from: string;
  readonly to: string;
  readonly ttl: number;
  readonly clients: Pick<AzureClients, 'dns'>;
  readonly dns: DnsLookup;
}

/** A CNAME of a public zone; the zone's own name servers prove it. */
export function createAzureDnsSwitch(options: AzureDnsSwitchOptions): Switch {
  const { subscription, resourceGroup, zone, record, clients, dns } = options;
  const name = fullName(record, zone);
  const recordSets = async () => (await clients.dns(subscription)).recordSets;
  const cname = azureCname({
    what: `Azure DNS record ${name}`,
    get: async (sending) =>
      await (await recordSets()).get(resourceGroup, zone, record, 'CNAME', sending),
    put: async (set, sending) =>
      await (await recordSets()).createOrUpdate(resourceGroup, zone, record, 'CNAME', set, sending),
    served: async (signal) => await dns.askZone(zone, name, signal),
  });
  return new CnameSwitch(cname, { ...options, name });
}
